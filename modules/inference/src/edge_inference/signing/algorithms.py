"""Which algorithm a key signs with; the key decides, never the envelope.

https://github.com/notaryproject/specifications/blob/main/specs/signature-envelope-jws.md#supported-alg-header-values
"""

from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from edge_inference.errors import SignatureInvalidError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Algorithm:
    """A way to sign.

    Attributes:
        name: As ``alg`` says it in a JWS.
        digest: What is hashed with.
    """

    name: str
    digest: hashes.HashAlgorithm

    @property
    def pss(self) -> padding.PSS:
        """RSA's padding; its salt is as long as the hash."""
        return padding.PSS(padding.MGF1(self.digest), self.digest.digest_size)

    @property
    def ecdsa(self) -> ec.ECDSA:
        """What an EC key signs with."""
        return ec.ECDSA(self.digest)


_RSA: Final = {
    2048: Algorithm("PS256", hashes.SHA256()),
    3072: Algorithm("PS384", hashes.SHA384()),
    4096: Algorithm("PS512", hashes.SHA512()),
}
_EC: Final = {
    "secp256r1": Algorithm("ES256", hashes.SHA256()),
    "secp384r1": Algorithm("ES384", hashes.SHA384()),
    "secp521r1": Algorithm("ES512", hashes.SHA512()),
}


def algorithm_of(key: Any) -> Algorithm:
    """The one algorithm that goes with a public key.

    Raises:
        SignatureInvalidError: None does.
    """
    found = None
    if isinstance(key, rsa.RSAPublicKey):
        found = _RSA.get(key.key_size)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        found = _EC.get(key.curve.name)
    if found is None:
        raise SignatureInvalidError("the signer's key is none of RSA 2048, 3072, 4096 and EC P-256, P-384, P-521")
    return found


def sign(key: PrivateKey, data: bytes) -> bytes:
    """Sign with a key, in the form that JWS wants: ECDSA's two numbers side by side.

    Raises:
        SignatureInvalidError: No algorithm goes with the key.
    """
    algorithm = algorithm_of(key.public_key())
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, algorithm.pss, algorithm.digest)
    width = _width(key)
    return b"".join(number.to_bytes(width) for number in decode_dss_signature(key.sign(data, algorithm.ecdsa)))


def check(key: Any, signature: bytes, data: bytes) -> None:
    """See that a signature is a key's.

    Raises:
        SignatureInvalidError: It is not, or no algorithm goes with the key.
    """
    algorithm = algorithm_of(key)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, algorithm.pss, algorithm.digest)
        else:
            key.verify(_as_der(signature, _width(key)), data, algorithm.ecdsa)
    except InvalidSignature:
        raise SignatureInvalidError("the signature is not the signer's, or what it signs was changed") from None


def _as_der(signature: bytes, width: int) -> bytes:
    if len(signature) != 2 * width:
        raise SignatureInvalidError(f"an ECDSA signature by this key is {2 * width} bytes long, not {len(signature)}")
    return encode_dss_signature(int.from_bytes(signature[:width]), int.from_bytes(signature[width:]))


def _width(key: ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) -> int:
    return -(-key.curve.key_size // 8)
