"""Decoders: from a file to its pictures, by what the contract wants and the file's content type.

A further format is a further file here with one function, and a line in the table below. What reads videos is imported
when the first one comes: most devices do not have it.
"""

from collections.abc import Callable, Generator, Mapping
from functools import partial
from importlib import import_module
from typing import BinaryIO, Final

from PIL.Image import Image

from edge_common.contract import PictureInput
from edge_common.errors import ItemError
from edge_transform.decoders.sniff import HEAD_BYTES, sniff
from edge_transform.room import Room

Decoder = Callable[[BinaryIO, PictureInput, Room], Generator[Image, None, None]]
"""Takes an open file, what is wanted of it, and room for pixels; yields its pictures, upright, one at a time."""

MODULES: Final[Mapping[str, Mapping[str, str]]] = {
    "image": dict.fromkeys(("image/bmp", "image/gif", "image/jpeg", "image/png", "image/tiff", "image/webp"), "image"),
    "video": dict.fromkeys(("video/avi", "video/matroska", "video/mp4"), "video"),
}
"""By the contract's kind of input and the file's content type: the module here whose ``decode`` decodes it."""


def decoder_of(head: bytes, wanted: PictureInput) -> Decoder:
    """What decodes a file that begins so.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED`` or ``NO_DECODER``.
    """
    if not head:
        raise ItemError("EMPTY", "the file is empty")
    found, modules = sniff(head), MODULES[wanted.kind]
    if found not in modules:
        raise ItemError("UNSUPPORTED", f"this is {found}; there are decoders for {', '.join(sorted(modules))}")
    try:
        module = import_module(f"{__name__}.{modules[found]}")
    except ModuleNotFoundError:
        raise _no_decoder() from None
    return partial(module.decode, found)


def decode(file: BinaryIO, wanted: PictureInput, pixels: Room) -> Generator[Image, None, None]:
    """A file's pictures, which take their room until the iteration ends.

    Args:
        file: Open; can seek.
        wanted: The contract's input half.
        pixels: What they take meanwhile; more than all of it are too many.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, ``NO_DECODER``; while iterating ``TOO_MANY_PIXELS``, ``DECODE_FAILED`` or
            ``BAD_PAGE``.
        Exception: While iterating: whatever malformed data leads to.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    return decoder_of(head, wanted)(file, wanted, pixels)


def _no_decoder() -> ItemError:
    return ItemError(
        "NO_DECODER",
        "PyAV, which decodes videos, is not installed; build its image with the extra edge-transform[video]",
        can_retry=True,  # the file is not to blame
    )
