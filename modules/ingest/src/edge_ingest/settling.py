"""Which files have stood still for long enough. No I/O; time and looks are given."""

import heapq
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Final

from edge_ingest.sight import Signature

EMPTY_PATIENCE: Final = 5
"""An empty file is given so many times longer: many a writer makes the file first, and opens it again to write."""


@dataclass(slots=True)
class _Watched:
    due: float
    number: int
    signature: Signature | None = None
    since: float = inf
    in_place: bool = False


@dataclass
class Settling:
    """Paths that are looked at until they look the same for a while.

    Attributes:
        settle_s: For how long; may be replaced at any time.
        most: Paths, at most.
    """

    settle_s: float = 1.0
    most: int = 4096
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _heap: list[tuple[float, int, str]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._watched)

    @property
    def full(self) -> bool:
        """Whether there is no room for another path."""
        return len(self._watched) >= self.most

    def note(self, path: str, now: float, *, in_place: bool = False) -> bool:
        """Something happened to a path: look at it now.

        Args:
            path: Which.
            now: Monotonic time.
            in_place: Whether it was renamed to there, so that it is whole already.

        Returns:
            False if there is no room.
        """
        watched = self._watched.get(path)
        if watched is None and self.full:
            return False
        watched = watched or _Watched(now, 0)
        watched.in_place = in_place
        self._schedule(path, watched, now)
        return True

    def saw(self, path: str, signature: Signature, now: float) -> None:
        """A scan came by a path. The caller sees to it that there is room."""
        if path not in self._watched:
            self._schedule(path, _Watched(now, 0, signature, since=now), now + self.settle_s)

    def due(self, now: float, most: int) -> list[str]:
        """Paths to look at now, which then need a verdict each."""
        paths: list[str] = []
        while self._heap and len(paths) < most and (self._heap[0][0] <= now or self._stale()):
            due, number, path = heapq.heappop(self._heap)
            watched = self._watched.get(path)
            if watched and (watched.due, watched.number) == (due, number):
                watched.due = inf
                paths.append(path)
        return paths

    def settled(self, path: str, signature: Signature, now: float) -> bool:
        """Judge how a path that was due looks; one that has settled is no longer watched."""
        watched = self._watched.get(path)
        if watched is None or watched.due < inf:  # something happened to it while we looked
            return False
        if signature != watched.signature:
            watched.signature, watched.since = signature, now
        # An empty file was renamed to its place before it was written to.
        whole = watched.in_place and signature.size > 0
        patience = self.settle_s if signature.size > 0 else EMPTY_PATIENCE * self.settle_s
        if whole or now >= watched.since + patience:
            del self._watched[path]
            return True
        self._schedule(path, watched, min(watched.since + patience, now + self.settle_s))
        return False

    def forget(self, path: str) -> None:
        """A path is no longer of interest."""
        self._watched.pop(path, None)

    def next_due(self) -> float:
        """When to look next."""
        while self._heap and self._stale():
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else inf

    def _schedule(self, path: str, watched: _Watched, due: float) -> None:
        watched.due, watched.number = due, next(self._numbers)
        self._watched[path] = watched
        heapq.heappush(self._heap, (due, watched.number, path))

    def _stale(self) -> bool:
        """Whether the first entry was overtaken by another look at the same path."""
        _, number, path = self._heap[0]
        watched = self._watched.get(path)
        return watched is None or watched.number != number
