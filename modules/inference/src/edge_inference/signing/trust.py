"""Whom to trust: said by the deployment, from its environment and files, never by a twin."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509

from edge_common.errors import ConfigurationError
from edge_inference.errors import SignatureInvalidError

_SUFFIXES: Final = {".pem", ".crt", ".cer"}


class TrustPolicy(StrEnum):
    """What becomes of a package without a good signature."""

    STRICT = "strict"
    """It is refused."""
    AUDIT = "audit"
    """It is used, and said so."""
    OFF = "off"
    """Signatures are not looked at."""


@dataclass(frozen=True)
class Trust:
    """A policy and the roots that it rests on.

    Attributes:
        policy: What to do.
        roots: A file of PEM certificates, or a folder of such files; read at each use, so that roots can be exchanged.
    """

    policy: TrustPolicy
    roots: Path | None

    def __post_init__(self) -> None:
        if self.policy is not TrustPolicy.OFF and self.roots is None:
            raise ConfigurationError(f"TRUST_ROOTS must name the roots for TRUST_POLICY={self.policy}")

    def pinned(self) -> frozenset[x509.Certificate]:
        """The pinned roots.

        Raises:
            SignatureInvalidError: There are none, so nothing can be trusted.
        """
        try:
            roots = frozenset(read_certificates(self.roots)) if self.roots else frozenset()
        except ConfigurationError as error:
            raise SignatureInvalidError(f"no signature can be verified: {error}") from error
        return roots


def read_certificates(path: Path) -> Sequence[x509.Certificate]:
    """The certificates in a PEM file, or in those of a folder, in order.

    Raises:
        ConfigurationError: There are none, or they cannot be read.
    """
    try:
        files = sorted(each for each in path.iterdir() if each.suffix in _SUFFIXES) if path.is_dir() else [path]
        found = [certificate for file in files for certificate in _certificates(file)]
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror})") from error
    if not found:
        raise ConfigurationError(f"{path} holds no files {', '.join(sorted(_SUFFIXES))}")
    return found


def _certificates(file: Path) -> Sequence[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError as error:
        raise ConfigurationError(f"{file} holds no PEM certificates ({error})") from error
