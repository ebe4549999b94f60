"""What certificates must be to vouch for a signature. Pure.

https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#certificate-requirements
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NoReturn, TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import (
    BasicConstraints,
    Certificate,
    DuplicateExtension,
    ExtendedKeyUsage,
    Extension,
    ExtensionNotFound,
    ExtensionType,
    KeyUsage,
)
from cryptography.x509.oid import ExtendedKeyUsageOID

from edge_inference.errors import SignatureExpiredError, SignatureInvalidError
from edge_inference.signing.algorithms import algorithm_of

_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_OTHER_PURPOSES: Final = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "anything",
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS servers",
    ExtendedKeyUsageOID.CLIENT_AUTH: "TLS clients",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "mail",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamps",
    ExtendedKeyUsageOID.OCSP_SIGNING: "revocation",
}

E = TypeVar("E", bound=ExtensionType)


def check_chain(chain: Sequence[Certificate], roots: Collection[Certificate]) -> None:
    """See that a chain leads from a signer to a pinned root, each certificate issued by the next.

    Args:
        chain: The signer's own first, the root last; a self-signed signer's stands alone.
        roots: Those that are pinned.

    Raises:
        SignatureInvalidError: It does not, or a certificate may not be used so.
    """
    if chain[-1] not in roots:
        raise SignatureInvalidError(f"the signer's chain ends at {name(chain[-1])}, which is no pinned root")
    if len(set(chain)) != len(chain):
        raise SignatureInvalidError("a certificate is in the signer's chain twice")
    _check_signer(chain[0])
    for between, authority in enumerate(chain[1:]):
        _check_authority(authority, between)
    for certificate, issuer in zip(chain, (*chain[1:], chain[-1]), strict=True):
        _check_issued(certificate, issuer)


def check_validity(chain: Sequence[Certificate], now: datetime) -> None:
    """See that certificates are valid now. Without a trusted time stamp, nothing else counts.

    Raises:
        SignatureExpiredError: One has expired.
        SignatureInvalidError: One is not valid yet.
    """
    for certificate in chain:
        if now > certificate.not_valid_after_utc:
            raise SignatureExpiredError(f"{name(certificate)} expired at {certificate.not_valid_after_utc}")
        if now < certificate.not_valid_before_utc:
            raise SignatureInvalidError(
                f"{name(certificate)} is not valid before {certificate.not_valid_before_utc}; it is {now} here"
            )


def name(certificate: Certificate) -> str:
    """Whose certificate it is, for people."""
    return f"{certificate.subject.rfc4514_string()!r}"


def _check_signer(certificate: Certificate) -> None:
    algorithm_of(certificate.public_key())
    usage = _key_usage(certificate)
    if not usage.digital_signature:
        _refuse(certificate, "may not sign: its keyUsage has no digitalSignature")
    if (
        usage.key_encipherment
        or usage.data_encipherment
        or usage.key_agreement
        or usage.key_cert_sign
        or usage.crl_sign
    ):
        _refuse(certificate, "is not for signing alone, as its keyUsage says")
    constraints = _extension(certificate, BasicConstraints)
    if constraints and constraints.value.ca:
        _refuse(certificate, "is an authority's, and so no signer's")
    purposes = _extension(certificate, ExtendedKeyUsage)
    if others := sorted({_OTHER_PURPOSES[oid] for oid in purposes.value if oid in _OTHER_PURPOSES} if purposes else ()):
        _refuse(certificate, f"is for {', '.join(others)}, as its extendedKeyUsage says")


def _check_authority(certificate: Certificate, between: int) -> None:
    """``between``: how many authorities there are between it and the signer."""
    constraints = _extension(certificate, BasicConstraints)
    if constraints is None or not constraints.critical or not constraints.value.ca:
        _refuse(certificate, "is no authority's: it has no critical basicConstraints with cA")
    elif constraints.value.path_length is not None and constraints.value.path_length < between:
        _refuse(certificate, "may not have so many authorities under it")
    if not _key_usage(certificate).key_cert_sign:
        _refuse(certificate, "may not issue certificates: its keyUsage has no keyCertSign")


def _check_issued(certificate: Certificate, issuer: Certificate) -> None:
    if not isinstance(certificate.signature_hash_algorithm, _HASHES):
        _refuse(certificate, "is not signed with SHA-256, SHA-384 or SHA-512")
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        _refuse(certificate, f"is not issued by {name(issuer)}")


def _key_usage(certificate: Certificate) -> KeyUsage:
    usage = _extension(certificate, KeyUsage)
    if usage is None or not usage.critical:
        raise SignatureInvalidError(f"{name(certificate)} has no critical keyUsage")
    return usage.value


def _extension(certificate: Certificate, kind: type[E]) -> Extension[E] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except ExtensionNotFound:
        return None
    except (ValueError, DuplicateExtension) as error:
        raise SignatureInvalidError(f"{name(certificate)} cannot be read ({error})") from None


def _refuse(certificate: Certificate, why: str) -> NoReturn:
    raise SignatureInvalidError(f"{name(certificate)} {why}")
