"""All samples of a file, in bounded memory, whatever it holds."""

from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

import numpy as np

from edge_common.contract import Input, PictureInput
from edge_common.errors import ItemError
from edge_common.messages import Frame
from edge_transform import tables
from edge_transform.decoders import decode
from edge_transform.errors import judging
from edge_transform.prepare.image import fill
from edge_transform.room import Room
from edge_transform.rows import Rows


class Samples(NamedTuple):
    """Some samples of a file.

    Attributes:
        rows: Shape ``(samples, *wanted.sample_shape)``.
        frames: Where each lies in its picture; none where they are of no pictures.
    """

    rows: Rows
    frames: tuple[Frame, ...] = ()


def samples(file: BinaryIO, head: bytes, wanted: Input, pixels: Room) -> Generator[Samples, None, None]:
    """A file's samples, in blocks of the batch that suits the model; only the last may be smaller.

    Args:
        file: Open; can seek.
        head: How it begins.
        wanted: The contract's input half.
        pixels: What its pictures take until the iteration ends; more than all of it are too many.

    Raises:
        ItemError: As from :func:`edge_transform.tables.samples`, or :func:`edge_transform.decoders.decode`.
        MemoryError: There is not enough for it now.
    """
    if isinstance(wanted, PictureInput):
        yield from _pictures(file, wanted, pixels)
    else:
        for block in tables.samples(file, head, wanted):
            yield Samples(block)


def _pictures(file: BinaryIO, wanted: PictureInput, pixels: Room) -> Iterator[Samples]:
    frames: list[Frame] = []
    rows = np.empty((wanted.batch, *wanted.sample_shape), wanted.sample_dtype)
    with judging():
        for picture in decode(file, wanted, pixels):
            if len(frames) == wanted.batch:
                yield Samples(rows, tuple(frames))
                frames, rows = [], np.empty_like(rows)
            frames.append(fill(picture, wanted, rows[len(frames)]))
    if not frames:
        raise ItemError("EMPTY", "there is no picture in it")
    yield Samples(rows[: len(frames)], tuple(frames))
