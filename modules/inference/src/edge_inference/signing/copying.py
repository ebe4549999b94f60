"""Signatures travel with what they sign."""

from collections.abc import Iterator

from edge_inference.signing.manifest import Signature, read_signature
from edge_inference.signing.referrers import Referrers, fetch_checked


def signatures(digest: str, referrers: Referrers) -> Iterator[Signature]:
    """The signatures of an artifact, good or not.

    Raises:
        ModelError: They cannot be had.
    """
    for candidate in referrers.referring_to(digest):
        data = fetch_checked(candidate, referrers)
        if read := read_signature(data, digest):
            yield Signature(data, [fetch_checked(blob, referrers) for blob in (read.config, *read.layers)])
