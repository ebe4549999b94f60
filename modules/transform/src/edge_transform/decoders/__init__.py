"""Decoders: from a file's bytes to its samples, by content type.

A further format is a further file here, with a table like ``image.DECODERS``, and a line in the one below.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from PIL.Image import Image

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.decoders import image
from edge_transform.decoders.sniff import sniff

Decoder = Callable[[bytes, ImageInput, int], Iterator[Image]]
"""Takes the content, what is wanted of it, and the most pixels that a sample may have; yields the samples."""

DECODERS: Final[Mapping[str, Decoder]] = {**image.DECODERS}


def decode(content: bytes, wanted: ImageInput, max_pixels: int) -> Iterator[Image]:
    """A file's samples.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, or while iterating ``TOO_MANY_PIXELS`` or ``DECODE_FAILED``.
        Exception: While iterating: whatever malformed data leads to.
    """
    if not content:
        raise ItemError("EMPTY", "the file is empty")
    found = sniff(content)
    if found not in DECODERS:
        raise ItemError("UNSUPPORTED", f"this is {found}; there are decoders for {', '.join(sorted(DECODERS))}")
    return DECODERS[found](content, wanted, max_pixels)
