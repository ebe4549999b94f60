"""Masks as text: COCO's compressed run lengths, which pycocotools and labelling tools read.

Runs of pixels outside and inside the mask take turns, column by column, the first outside. From the fourth on a run is
kept as its difference to the one before the last; each number as groups of five bits, the lowest first, where the sixth
says that more follow, as a character from ``0`` on (cocoapi, ``common/maskApi.c``, ``rleToString``).
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from edge_inference.session import Array

_ZERO: Final = ord("0")
_PLAIN: Final = 2
"""So many runs, after the first, are kept as they are."""


def encode(mask: Array) -> str:
    """A mask as text.

    Args:
        mask: Bool of shape ``(height, width)``.
    """
    flat = mask.ravel(order="F")
    turns = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    edges = [0, *([0] if flat.size and flat[0] else []), *turns.tolist(), flat.size]
    runs = np.diff(edges).tolist()
    before = [0] * (_PLAIN + 1) + runs[1:-_PLAIN]
    return "".join(chain for run, earlier in zip(runs, before, strict=False) for chain in _groups(run - earlier))


def decode(text: str, size: tuple[int, int]) -> Array:
    """The mask of a text: bool of shape ``size``, which is height and width."""
    runs: list[int] = []
    for number in _numbers(text):
        runs.append(number + (runs[-_PLAIN] if len(runs) > _PLAIN else 0))
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(size, order="F")


def _groups(number: int) -> Iterator[str]:
    more = True
    while more:
        bits, number = number & 31, number >> 5
        more = number != (-1 if bits & 16 else 0)
        yield chr(_ZERO + (bits | 32 if more else bits))


def _numbers(text: str) -> Iterator[int]:
    number = place = 0
    for character in text:
        bits = ord(character) - _ZERO
        number |= (bits & 31) << place
        place += 5
        if not bits & 32:
            yield number - (1 << place if bits & 16 else 0)
            number = place = 0
