"""Two models' answers to the same parts of items, which come in either order. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from edge_common.messages import PredictedPart

MOST_WAITING: Final = 4096
"""Samples of one model whose answers wait for the other's; beyond them the oldest are forgotten."""

Pair = tuple[PredictedPart, PredictedPart]
_Key = tuple[str, int]


class Pairs:
    """Brings together what was served, and what the model beside says."""

    def __init__(self) -> None:
        self._served = _Waiting()
        self._beside = _Waiting()

    def served(self, parts: Iterable[PredictedPart]) -> Iterator[Pair]:
        """The pairs that these complete: what was served, what was said beside."""
        return ((part, other) for part, other in _match(parts, self._served, self._beside))

    def beside(self, parts: Iterable[PredictedPart]) -> Iterator[Pair]:
        """As ``served``, for what the model beside says."""
        return ((other, part) for part, other in _match(parts, self._beside, self._served))


class _Waiting:
    def __init__(self) -> None:
        self._parts: dict[_Key, PredictedPart] = {}
        self._rows = 0

    def add(self, key: _Key, part: PredictedPart) -> None:
        self.take(key)
        self._parts[key] = part
        self._rows += part.rows
        while self._rows > MOST_WAITING:
            self.take(next(iter(self._parts)))

    def take(self, key: _Key) -> PredictedPart | None:
        part = self._parts.pop(key, None)
        self._rows -= part.rows if part else 0
        return part


def _match(parts: Iterable[PredictedPart], own: _Waiting, others: _Waiting) -> Iterator[Pair]:
    for part in parts:
        key = part.item.id, part.part
        if other := others.take(key):
            yield part, other
        else:
            own.add(key, part)
