"""How much of a package is here while it is copied."""

from collections.abc import Callable

from edge_inference.blobs import BlobStore
from edge_inference.package import Descriptor, Outline
from edge_inference.patience import Pause

Come = Callable[[int], None]
"""Told how many of a hundred parts of a package are here."""


class Arrival:
    """Tells how much there is, between two pieces: so it looks at no more than one file.

    Args:
        outline: Of the package.
        blobs: Where its blobs are copied to.
        come: Told when there is more.
    """

    def __init__(self, outline: Outline, blobs: BlobStore, come: Come) -> None:
        self._outline = outline
        self._blobs = blobs
        self._come = come
        self._told = 0

    def telling(self, blob: Descriptor, pause: Pause) -> Pause:
        """A pause that tells, while this blob is copied."""
        elsewhere = self._blobs.missing(each for each in self._outline.blobs if each.digest != blob.digest)
        here = self._blobs.watch(blob)

        def tell(seconds: float) -> None:
            pause(seconds)
            self._tell(elsewhere + here())

        return tell

    def _tell(self, missing: int) -> None:
        total = self._outline.total
        percent = 100 * (total - missing) // max(1, total)
        if percent != self._told:
            self._told = percent
            self._come(percent)
