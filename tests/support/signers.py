"""Certificates made as they should be, and otherwise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_inference.package import MANIFEST_TYPE, Descriptor, digest_of
from edge_inference.signing.algorithms import PrivateKey

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TARGET = Descriptor(media_type=MANIFEST_TYPE, digest=digest_of(b"a manifest"), size=10)
CRITICAL = True

Extensions = Sequence[tuple[x509.ExtensionType, bool]]


def usage(*bits: str) -> x509.KeyUsage:
    every = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{bit: bit in bits for bit in every})


def authority(path_length: int | None = None) -> Extensions:
    return [
        (x509.BasicConstraints(ca=True, path_length=path_length), CRITICAL),
        (usage("key_cert_sign", "crl_sign"), CRITICAL),
    ]


SIGNER: Extensions = [
    (usage("digital_signature"), CRITICAL),
    (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), not CRITICAL),
]


@dataclass(frozen=True)
class Holder:
    """A certificate, its key, and what is above it."""

    key: PrivateKey
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        return (self.certificate, *self.above)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Key and chain as files."""
        folder.mkdir(parents=True, exist_ok=True)
        key, chain = folder / "signer.key", folder / "chain.pem"
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        chain.write_bytes(b"".join(each.public_bytes(Encoding.PEM) for each in self.chain))
        return key, chain

    def pin(self, folder: Path) -> Path:
        """The root as a file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "root.pem"
        path.write_bytes(self.chain[-1].public_bytes(Encoding.PEM))
        return path


def issue(
    name: str,
    extensions: Extensions,
    by: Holder | None = None,
    key: PrivateKey | None = None,
    until: datetime = datetime(2099, 1, 1, tzinfo=UTC),
    since: datetime = NOW - timedelta(days=365),
) -> Holder:
    """Issue a certificate; by itself if by nobody else."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(by.certificate.subject if by else _name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    return Holder(key, certificate, by.chain if by else ())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


ROOT = issue("root", authority())
MIDDLE = issue("middle", authority(), ROOT)
LEAF = issue("signer", SIGNER, MIDDLE)
