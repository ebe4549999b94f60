"""Packages, and what signs them, from a source into a registry or a layout.

Blobs go first, so that what can be named is whole.
"""

from functools import partial
from pathlib import Path

from edge_inference import layout as layouts
from edge_inference.blobs import BlobStore, pieces
from edge_inference.errors import DigestMismatchError
from edge_inference.images import read_outline
from edge_inference.package import Descriptor, digest_of
from edge_inference.patience import Patience, Pause
from edge_inference.registry.repository import Repository
from edge_inference.registry.signatures import RepositoryReferrers
from edge_inference.signing.copying import signatures
from edge_inference.sources import ModelSource


def push(source: ModelSource, repository: Repository, tag: str, patience: Patience, pause: Pause) -> str:
    """Put a package in a registry; the tag moves to it.

    Args:
        source: Where it is.
        repository: Where it goes.
        tag: What it is to be found by, besides its digest; empty for nothing.
        patience: With connections that break.
        pause: Waits between attempts.

    Returns:
        The manifest's digest.

    Raises:
        ModelError: It cannot be read, or the registry does not take it.
    """
    data = source.manifest()
    outline = read_outline(data)

    def upload(blob: Descriptor) -> None:
        if not repository.holds("blobs", blob.digest):
            with source.open(blob) as file:
                repository.put_blob(blob, pieces(file, pause))

    for blob in outline.blobs:
        patience.persist(lambda blob=blob: upload(blob), pause)  # type: ignore[misc] # bound now
    digest = digest_of(data)
    patience.persist(lambda: repository.put_manifest(tag or digest, data, outline.media_type), pause)
    beside = RepositoryReferrers(repository)
    for signature in signatures(digest, source.referrers):
        patience.persist(partial(beside.attach, signature, digest), pause)
    return digest


def pull(source: ModelSource, digest: str, layout: Path, tag: str, patience: Patience, pause: Pause) -> str:
    """Put a package in a layout, beside what is there, every byte checked. What came is kept if it is broken off.

    Args:
        source: Where it is.
        digest: The manifest's; empty where any will do.
        layout: The layout's directory; made if it is not there.
        tag: What it is to be found by, besides its digest.
        patience: With connections that break.
        pause: Waits between attempts.

    Returns:
        The manifest's digest.

    Raises:
        ModelError: It cannot be had.
        OSError: The layout cannot be written.
    """
    data = patience.persist(source.manifest, pause)
    if digest and digest_of(data) != digest:
        raise DigestMismatchError(f"the manifest's digest is {digest_of(data)}, not {digest}")
    blobs = BlobStore(layout, patience)
    for blob in read_outline(data).blobs:
        blobs.fetch(blob, source, pause)
    layouts.enter(layout, data, tag)
    for signature in patience.persist(lambda: [*signatures(digest_of(data), source.referrers)], pause):
        layouts.attach(layout, signature)
    return digest_of(data)
