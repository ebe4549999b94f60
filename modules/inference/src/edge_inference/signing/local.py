"""Signatures in an OCI image layout: entries of its index, or of an index under the fallback tag."""

from collections.abc import Sequence
from pathlib import Path

from edge_inference.errors import NotFoundError
from edge_inference.package import MOST_MANIFEST_BYTES, Descriptor, blob_name
from edge_inference.plainfiles import open_plain
from edge_inference.signing.referrers import candidates, fallback_tag, fetch_checked, tagged_indexes


class LayoutReferrers:
    """What refers to artifacts in a layout.

    Args:
        folder: The layout.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def referring_to(self, digest: str) -> Sequence[Descriptor]:
        try:
            index = self._read("index.json")
        except NotFoundError:
            return ()
        indexes = [index, *(fetch_checked(found, self) for found in tagged_indexes(index, fallback_tag(digest)))]
        return [candidate for each in indexes for candidate in candidates(each)]

    def fetch(self, blob: Descriptor) -> bytes:
        return self._read(blob_name(blob.digest))

    def _read(self, name: str) -> bytes:
        with open_plain(self._folder, name) as file:
            return file.read(MOST_MANIFEST_BYTES)
