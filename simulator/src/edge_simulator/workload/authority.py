"""A certificate authority for one state folder: its root is what modules trust, and it names the gateway's address."""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from edge_simulator.files import write_private

_LIFETIME: Final = dt.timedelta(days=3650)
_CERTIFICATE: Final = "ca.pem"
_KEY: Final = "ca.key"


@dataclass(frozen=True, slots=True)
class Authority:
    """A self-signed root and its key."""

    folder: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read the authority of a folder, or make one that stays: clients keep trusting it over restarts."""
        if (folder / _CERTIFICATE).exists():
            key = serialization.load_pem_private_key((folder / _KEY).read_bytes(), password=None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise TypeError(f"{folder / _KEY} holds no EC key")
            return cls(folder, x509.load_pem_x509_certificate((folder / _CERTIFICATE).read_bytes()), key)
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _root(key)
        write_private(folder / _KEY, _key_pem(key))
        write_private(folder / _CERTIFICATE, _pem(certificate))
        return cls(folder, certificate, key)

    @property
    def pem(self) -> str:
        """The root certificate as PEM."""
        return _pem(self.certificate).decode()

    def server_context(self, address: str) -> ssl.SSLContext:
        """Return a TLS server's context (TLS 1.2 and newer) with a new certificate for an IP address."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._server(key, address)
        key_path, chain_path = self.folder / "server.key", self.folder / "server.pem"
        write_private(key_path, _key_pem(key))
        write_private(chain_path, _pem(certificate) + _pem(self.certificate))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(chain_path, key_path)
        return context

    def _server(self, key: ec.EllipticCurvePrivateKey, address: str) -> x509.Certificate:
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            _builder(address, self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(names, critical=False)
            .add_extension(issuer_key, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = "IoT Edge simulator"
    return (
        _builder(name, _name(name), key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
