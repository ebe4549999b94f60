"""Preparation: from a file to a tensor under the contract. Training code imports this, so both see the same pixels.

:func:`prepare` gives the sample of a picture, :func:`prepare_rows` all samples of any file.
"""

from contextlib import closing
from io import BytesIO
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from edge_common.contract import Input, PictureInput
from edge_common.messages import Frame
from edge_transform.decoders import decode
from edge_transform.decoders.sniff import HEAD_BYTES
from edge_transform.errors import judging, several
from edge_transform.prepare.image import fill
from edge_transform.prepare.samples import samples
from edge_transform.room import Room
from edge_transform.rows import Row

__all__ = ["MAX_PIXELS", "prepare", "prepare_into", "prepare_rows"]

MAX_PIXELS: Final = 100_000_000
"""What a file's picture may have unless said otherwise; 440 MB while it is decoded, and 2 GB as transparent WebP."""


def prepare(source: bytes | Image, wanted: PictureInput, max_pixels: int = MAX_PIXELS) -> npt.NDArray[Any]:
    """One sample, prepared as the transform module does it; of a file with several, the first.

    Args:
        source: A file's content; or a picture, which is taken as it stands (EXIF orientation is not applied).
        wanted: The contract's input half.
        max_pixels: The most that a file's picture may have.

    Returns:
        Of ``wanted``'s ``sample_shape`` and ``sample_dtype``.

    Raises:
        ItemError: The source cannot be prepared; its code says why.
    """
    row = np.empty(wanted.sample_shape, wanted.sample_dtype)
    if isinstance(source, bytes):
        with judging(), closing(decode(BytesIO(source), wanted, Room(max_pixels))) as pictures:
            fill(next(pictures), wanted, row)
    else:
        fill(source, wanted, row)
    return row


def prepare_into(content: bytes, wanted: PictureInput, pixels: Room, row: Row) -> Frame:
    """Prepare a file's one sample into its row of a batch; where it lies in its picture.

    Args:
        content: The file.
        wanted: The contract's input half.
        pixels: What its picture takes meanwhile; more than all of it are too many.
        row: Of ``wanted``'s ``sample_shape`` and ``sample_dtype``.

    Raises:
        ItemError: ``EMPTY``, ``UNSUPPORTED``, ``TOO_MANY_PIXELS``, or ``DECODE_FAILED``; or ``SEVERAL``.
        MemoryError: There is not enough for it now.
    """
    with judging(), closing(decode(BytesIO(content), wanted, pixels)) as pictures:
        frame = fill(next(pictures), wanted, row)
        if next(pictures, None):
            raise several()
    return frame


def prepare_rows(content: bytes, wanted: Input, max_pixels: int = MAX_PIXELS) -> npt.NDArray[Any]:
    """All samples of a file that may hold many, as the transform module prepares them, which takes them block by block.

    Args:
        content: The file.
        wanted: The contract's input half.
        max_pixels: The most that a picture in it may have.

    Returns:
        Shape ``(samples, *wanted.sample_shape)``.

    Raises:
        ItemError: As from :func:`edge_transform.prepare.samples.samples`.
    """
    found = samples(BytesIO(content), content[:HEAD_BYTES], wanted, Room(max_pixels))
    return np.concatenate([rows for rows, _ in found])
