"""Who signs: a key and the certificates that vouch for it, from files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from edge_common.errors import ConfigurationError
from edge_inference.package import Descriptor
from edge_inference.signing.algorithms import PrivateKey
from edge_inference.signing.chain import check_chain
from edge_inference.signing.envelope import compose
from edge_inference.signing.manifest import Signature, compose_signature
from edge_inference.signing.trust import read_certificates


@dataclass(frozen=True)
class Signer:
    """Signs artifacts.

    Attributes:
        key: The private key.
        chain: The certificates of the key and of those above it, the root last.

    Raises:
        SignatureInvalidError: Signatures by it would be refused, for that reason.
        ConfigurationError: The first certificate is not the key's.
    """

    key: PrivateKey
    chain: Sequence[x509.Certificate]

    def __post_init__(self) -> None:
        if self.chain[0].public_key() != self.key.public_key():
            raise ConfigurationError("the key is not that of the chain's first certificate")
        check_chain(self.chain, {self.chain[-1]})

    @classmethod
    def read(cls, key: Path, chain: Path) -> Self:
        """A signer from PEM files.

        Args:
            key: The private key, without a password.
            chain: The certificates: the signer's first, the root last.

        Raises:
            ConfigurationError: They cannot be read, or do not fit together.
            SignatureInvalidError: Signatures by it would be refused, for that reason.
        """
        try:
            pem = key.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{key} cannot be read ({error.strerror})") from error
        return cls(parse_key(pem, str(key)), read_certificates(chain))

    def sign(self, target: Descriptor, at: datetime, expiry: datetime | None = None) -> Signature:
        """Sign an artifact.

        Args:
            target: Its manifest.
            at: The time.
            expiry: When the signature ends to count, if it does.
        """
        envelope = compose(self.key, self.chain, target, at, expiry)
        return compose_signature(envelope, target, self.chain, at)


def parse_key(pem: bytes, source: str) -> PrivateKey:
    """The private key in PEM.

    Args:
        pem: Without a password.
        source: Where it is from, for errors.

    Raises:
        ConfigurationError: It holds none that signs.
    """
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigurationError(f"the key in {source} has a password; it must have none") from None
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ConfigurationError(f"{source} holds no private key in PEM ({error})") from error
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"the key in {source} is neither RSA nor EC")
    return key
