"""Blocks of rows become windows, and batches of one size. Pure."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]


def windows(blocks: Iterable[Block], size: int, step: int) -> Iterator[Block]:
    """Windows of consecutive rows, also across blocks.

    Args:
        blocks: Shape ``(rows, columns)``.
        size: Rows of a window.
        step: Rows from the begin of one to the next; at most ``size``.

    Yields:
        Shape ``(windows, size, columns)``.
    """
    rest: Block | None = None
    for block in blocks:
        rest = block if rest is None else np.concatenate([rest, block])
        if len(rest) >= size:
            views = np.lib.stride_tricks.sliding_window_view(rest, size, axis=0)[::step]
            yield views.transpose(0, 2, 1)
            rest = rest[len(views) * step :]


def cut(blocks: Iterable[Block], size: int) -> Iterator[Block]:
    """The same rows in blocks of one size; only the last may be smaller.

    Yields:
        C-contiguous copies.
    """
    rest: list[Block] = []
    held = 0
    for block in blocks:
        for start in range(0, len(block), size):
            piece = block[start : start + size]
            while len(piece):
                taken, piece = piece[: size - held], piece[size - held :]
                rest.append(taken)
                held += len(taken)
                if held == size:
                    yield np.concatenate(rest)
                    rest, held = [], 0
    if rest:
        yield np.concatenate(rest)
