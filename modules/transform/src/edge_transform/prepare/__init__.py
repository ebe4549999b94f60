"""Preparation: from a file to a tensor under the contract. Training code imports this, so both see the same pixels."""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.decoders import decode
from edge_transform.prepare.image import fill
from edge_transform.room import Room

__all__ = ["MAX_PIXELS", "prepare", "prepare_into"]

MAX_PIXELS: Final = 100_000_000
"""What a file's picture may have unless said otherwise; 440 MB while it is decoded, and 2 GB as transparent WebP."""


def prepare(source: bytes | Image, wanted: ImageInput, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.float32]:
    """One sample, prepared as the transform module does it.

    Args:
        source: A file's content; or a picture, which is taken as it stands (EXIF orientation is not applied).
        wanted: The contract's input half.
        max_pixels: The most that a file's picture may have.

    Returns:
        Shape ``wanted.sample_shape``.

    Raises:
        ItemError: The source cannot be prepared; its code says why.
    """
    row = np.empty(wanted.sample_shape, np.float32)
    if isinstance(source, bytes):
        prepare_into(source, wanted, Room(max_pixels), row)
    else:
        fill(source, wanted, row)
    return row


def prepare_into(content: bytes, wanted: ImageInput, pixels: Room, row: npt.NDArray[np.float32]) -> None:
    """Prepare a file's sample into its row of a batch.

    Args:
        content: The file.
        wanted: The contract's input half.
        pixels: What its picture takes meanwhile; more than all of it are too many.
        row: Shape ``wanted.sample_shape``.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, ``TOO_MANY_PIXELS``, or ``DECODE_FAILED``.
        MemoryError: There is not enough for it now.
    """
    try:
        for sample in decode(content, wanted, pixels):
            fill(sample, wanted, row)
    except (ItemError, MemoryError):
        raise
    except Exception as error:  # malformed data makes decoders raise what nobody can enumerate
        raise ItemError("DECODE_FAILED", f"it cannot be decoded ({error})") from error
