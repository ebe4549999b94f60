"""A certificate authority for the example: its root is what the device trusts, its signer signs the models."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_inference.signing.signer import Signer

ROOTS: Final = "roots"
"""The folder that is mounted into the device; key and chain stay beside it."""

_LIFETIME: Final = timedelta(days=3650)


def signer(folder: Path) -> Signer:
    """The example's signer; made where there is none.

    Args:
        folder: Where key, chain and root are kept.
    """
    key, chain = folder / "signer.key", folder / "chain.pem"
    if not chain.exists():
        _establish(folder / ROOTS, key, chain)
    return Signer.read(key, chain)


def _establish(roots: Path, key: Path, chain: Path) -> None:
    roots.mkdir(parents=True, exist_ok=True)
    authority, own = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Example root", "Example root", authority, authority)
    leaf = _certificate("Example signer", "Example root", own, authority)
    (roots / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    chain.write_bytes(leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM))


def _certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, authority: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """What a signer's certificate must be, or an authority's where it issues itself."""
    is_root = subject == issuer
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(_usage(is_root=is_root), critical=True)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    return builder.sign(authority, hashes.SHA384())


def _usage(*, is_root: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_root,
        key_cert_sign=is_root,
        crl_sign=is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
