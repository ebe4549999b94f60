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
from edge_transform.room import Room

Decoder = Callable[[bytes, ImageInput, Room], Iterator[Image]]
"""Takes the content, what is wanted of it, and room for pixels; yields the samples."""

DECODERS: Final[Mapping[str, Decoder]] = {**image.DECODERS}


def decoder_of(head: bytes) -> Decoder:
    """What decodes a file that begins so.

    Raises:
        ItemError: ``EMPTY`` or ``UNSUPPORTED``.
    """
    if not head:
        raise ItemError("EMPTY", "the file is empty")
    found = sniff(head)
    if found not in DECODERS:
        raise ItemError("UNSUPPORTED", f"this is {found}; there are decoders for {', '.join(sorted(DECODERS))}")
    return DECODERS[found]


def decode(content: bytes, wanted: ImageInput, pixels: Room) -> Iterator[Image]:
    """A file's samples, which take their room until the iteration goes on.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, or while iterating ``TOO_MANY_PIXELS`` or ``DECODE_FAILED``.
        Exception: While iterating: whatever malformed data leads to.
    """
    return decoder_of(content)(content, wanted, pixels)
