"""Two models' answers to the same parts of items, which come in either order. Pure."""

from collections.abc import Iterable, Iterator
from typing import Final

from edge_common.messages import PredictedPart

MOST_WAITING: Final = 4096
"""Answers of one model that wait for the other's; beyond them the oldest is forgotten."""

Pair = tuple[PredictedPart, PredictedPart]
_Waiting = dict[tuple[str, int], PredictedPart]


class Pairs:
    """Brings together what was served, and what the model beside says."""

    def __init__(self) -> None:
        self._served: _Waiting = {}
        self._beside: _Waiting = {}

    def served(self, parts: Iterable[PredictedPart]) -> Iterator[Pair]:
        """The pairs that these complete: what was served, what was said beside."""
        return ((part, other) for part, other in _match(parts, self._served, self._beside))

    def beside(self, parts: Iterable[PredictedPart]) -> Iterator[Pair]:
        """As ``served``, for what the model beside says."""
        return ((other, part) for part, other in _match(parts, self._beside, self._served))


def _match(parts: Iterable[PredictedPart], own: _Waiting, others: _Waiting) -> Iterator[Pair]:
    for part in parts:
        key = part.item.id, part.part
        if other := others.pop(key, None):
            yield part, other
        else:
            own[key] = part
            if len(own) > MOST_WAITING:
                del own[next(iter(own))]
