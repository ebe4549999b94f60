"""The manifest by which a signature refers to what it signs. Pure.

https://github.com/notaryproject/specifications/blob/main/specs/signature-specification.md#storage
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import ValidationError

from edge_inference.errors import SignatureInvalidError
from edge_inference.package import MANIFEST_TYPE, Descriptor, Json, digest_of
from edge_inference.signing.envelope import ENVELOPE_TYPE

SIGNATURE_TYPE: Final = "application/vnd.cncf.notary.signature"
EMPTY: Final = b"{}"
"""The config of a manifest that needs none."""

_EMPTY_TYPE: Final = "application/vnd.oci.empty.v1+json"
_THUMBPRINTS: Final = "io.cncf.notary.x509chain.thumbprint#S256"
_CREATED: Final = "org.opencontainers.image.created"


@dataclass(frozen=True)
class Signature:
    """A signature as it is stored.

    Attributes:
        manifest: What refers to the artifact.
        blobs: What the manifest refers to in turn.
    """

    manifest: bytes
    blobs: Sequence[bytes]


class SignatureManifest(Json):
    """What refers to an artifact."""

    schema_version: Literal[2]
    media_type: Literal["application/vnd.oci.image.manifest.v1+json"]
    artifact_type: str = ""
    config: Descriptor
    layers: tuple[Descriptor, ...]
    subject: Descriptor | None = None

    @property
    def kind(self) -> str:
        """What it is. Signatures made before OCI 1.1 say it by their config."""
        return self.artifact_type or self.config.media_type

    @property
    def envelope(self) -> Descriptor:
        """The signature itself.

        Raises:
            SignatureInvalidError: There is not exactly one JWS envelope.
        """
        if [layer.media_type for layer in self.layers] != [ENVELOPE_TYPE]:
            raise SignatureInvalidError(f"the signature's manifest has not one layer, of type {ENVELOPE_TYPE}")
        return self.layers[0]


def read_signature(manifest: bytes, subject: str) -> SignatureManifest | None:
    """Read the manifest of a signature.

    Args:
        manifest: Of anything.
        subject: The digest of what is signed.

    Returns:
        None if it is no signature of that.
    """
    try:
        read = SignatureManifest.model_validate_json(manifest)
    except ValidationError:
        return None
    return read if read.kind == SIGNATURE_TYPE and read.subject and read.subject.digest == subject else None


def compose_signature(
    envelope: bytes, target: Descriptor, chain: Sequence[x509.Certificate], created: datetime
) -> Signature:
    """A signature as it is stored.

    Args:
        envelope: The signature.
        target: What it signs.
        chain: The signer's.
        created: When it was signed.
    """
    thumbprints = [each.fingerprint(hashes.SHA256()).hex().upper() for each in chain]
    document = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "artifactType": SIGNATURE_TYPE,
        "config": _described(EMPTY, _EMPTY_TYPE),
        "layers": [_described(envelope, ENVELOPE_TYPE)],
        "subject": target.model_dump(by_alias=True, include={"media_type", "digest", "size"}),
        "annotations": {
            _CREATED: created.isoformat(timespec="seconds"),
            _THUMBPRINTS: json.dumps(thumbprints, separators=(",", ":")),
        },
    }
    return Signature(json.dumps(document, separators=(",", ":")).encode(), (EMPTY, envelope))


def _described(data: bytes, media_type: str) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}
