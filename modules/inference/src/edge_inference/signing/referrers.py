"""Where signatures are found: what refers to an artifact, in a layout or a registry."""

from collections.abc import Sequence
from typing import Final, Protocol

from pydantic import ValidationError

from edge_inference.errors import DigestMismatchError, NotFoundError, SignatureInvalidError, UnsafeModelError
from edge_inference.package import MANIFEST_TYPE, Descriptor, Json, digest_of
from edge_inference.signing.manifest import SIGNATURE_TYPE

INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
MOST_BYTES: Final = 1 << 20
"""The largest part of a signature; they have a few kilobytes."""

REF_NAME: Final = "org.opencontainers.image.ref.name"


class Referrers(Protocol):
    """What lies beside an artifact. Methods block; nothing that they give is believed."""

    def referring_to(self, digest: str) -> Sequence[Descriptor]:
        """The manifests that may be signatures of an artifact; empty where there are none.

        Raises:
            ModelError: It cannot be seen.
        """

    def fetch(self, blob: Descriptor) -> bytes:
        """A manifest or a blob of theirs, which is small.

        Raises:
            ModelError: It cannot be had.
        """


class NoReferrers:
    """Where nothing can lie beside a package."""

    def referring_to(self, digest: str) -> Sequence[Descriptor]:  # noqa: ARG002 - the protocol's
        return ()

    def fetch(self, blob: Descriptor) -> bytes:
        raise NotFoundError(f"nothing lies beside this package, so not {blob.digest}")


def fetch_checked(blob: Descriptor, referrers: Referrers) -> bytes:
    """A manifest or a blob, byte for byte what its digest says.

    Raises:
        DigestMismatchError: It is something else.
        SignatureInvalidError: It is far too large.
        ModelError: It cannot be had.
    """
    if blob.size > MOST_BYTES:
        raise SignatureInvalidError(f"part of a signature has {blob.size} bytes, more than {MOST_BYTES}")
    data = referrers.fetch(blob)
    if digest_of(data) != blob.digest:
        raise DigestMismatchError(f"part of a signature is not what {blob.digest} promises")
    return data


class _Entry(Descriptor):
    artifact_type: str = ""

    @property
    def may_be_signature(self) -> bool:
        """Entries need not say what they are; those that do not are looked into."""
        return self.media_type == MANIFEST_TYPE and self.artifact_type in {"", SIGNATURE_TYPE}


class _Index(Json):
    manifests: tuple[_Entry, ...]


def fallback_tag(digest: str) -> str:
    """The tag of the index of what refers to an artifact, where there is no referrers API.

    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema
    """
    return digest.replace(":", "-")


def candidates(index: bytes) -> Sequence[Descriptor]:
    """Those of an index that may be signatures.

    Args:
        index: The referrers API's answer, what the fallback tag leads to, or a layout's own.

    Raises:
        UnsafeModelError: It is no index.
    """
    return [entry for entry in _read(index).manifests if entry.may_be_signature]


def tagged_indexes(index: bytes, tag: str) -> Sequence[Descriptor]:
    """The indexes within a layout's own that bear a tag.

    Raises:
        UnsafeModelError: It is no index.
    """
    entries = _read(index).manifests
    return [entry for entry in entries if entry.media_type == INDEX_TYPE and entry.annotations.get(REF_NAME) == tag]


def _read(index: bytes) -> _Index:
    try:
        return _Index.model_validate_json(index)
    except ValidationError:
        raise UnsafeModelError("what should list an artifact's signatures is no image index") from None
