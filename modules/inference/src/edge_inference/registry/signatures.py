"""Signatures in a registry: by the referrers API, or under the fallback tag where there is none."""

import json
from collections.abc import Sequence
from typing import Any

from edge_inference.errors import NotFoundError, UnreachableError
from edge_inference.package import MANIFEST_TYPE, Descriptor, digest_of
from edge_inference.registry.repository import Repository
from edge_inference.signing.manifest import SIGNATURE_TYPE, Signature
from edge_inference.signing.referrers import INDEX_TYPE, MOST_BYTES, candidates, fallback_tag
from edge_inference.sources import at_most


class RepositoryReferrers:
    """What refers to artifacts in a repository.

    Args:
        repository: The repository.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def referring_to(self, digest: str) -> Sequence[Descriptor]:
        pages = self._listed(digest)
        if pages is None:
            index = self._fallback(digest)
            pages = [index] if index else []
        return [candidate for page in pages for candidate in candidates(page)]

    def fetch(self, blob: Descriptor) -> bytes:
        if blob.media_type == MANIFEST_TYPE:
            return self._repository.manifest(blob.digest)
        with self._repository.open(blob) as stream:
            return at_most(stream, MOST_BYTES)

    def attach(self, signature: Signature, subject: str) -> None:
        """Put a signature in the repository, and where the registry does not list it by itself, in the fallback index.

        Args:
            signature: What to put there.
            subject: The digest of what it signs.

        Raises:
            ModelError: The registry does not take it.
        """
        for data in signature.blobs:
            blob = Descriptor(media_type="application/octet-stream", digest=digest_of(data), size=len(data))
            if not self._repository.holds("blobs", blob.digest):
                self._repository.put_blob(blob, [data])
        digest = digest_of(signature.manifest)
        self._repository.put_manifest(digest, signature.manifest, MANIFEST_TYPE)
        if self._listed(subject) is None:
            index = _with(self._fallback(subject), digest, len(signature.manifest))
            self._repository.put_manifest(fallback_tag(subject), index, INDEX_TYPE)

    def _listed(self, digest: str) -> Sequence[bytes] | None:
        """The referrers API's answer, page by page; None where there is no such API."""
        try:
            return self._repository.referrers(digest)
        except UnreachableError:
            raise
        except NotFoundError:
            return None

    def _fallback(self, digest: str) -> bytes | None:
        try:
            return self._repository.manifest(fallback_tag(digest))
        except UnreachableError:
            raise
        except NotFoundError:
            return None


def _with(index: bytes | None, digest: str, size: int) -> bytes:
    """An index with one signature more."""
    empty = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}
    document: dict[str, Any] = json.loads(index) if index else empty
    others = [entry for entry in document["manifests"] if entry["digest"] != digest]
    entry = {"mediaType": MANIFEST_TYPE, "artifactType": SIGNATURE_TYPE, "digest": digest, "size": size}
    return json.dumps({**document, "manifests": [*others, entry]}).encode()
