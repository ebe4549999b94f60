"""Who is next. Pure: of those who wait, whoever has had least goes first.

Turns are taken on two levels, sides and the sources of each, by start-time fair queueing (Goyal, Vin and Cheng, 1996):
a source's turn begins where its last one ended, or, if it did not wait meanwhile, where the others are now.
"""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


@dataclass
class Shares(Generic[K]):
    """What each of some sources has had, as far as it still matters.

    Attributes:
        now: Where the last turn began.
    """

    now: float = 0.0
    _ends: dict[K, float] = field(default_factory=dict)

    def start(self, source: K) -> float:
        """Where a source's next turn begins."""
        return max(self.now, self._ends.get(source, 0.0))

    def take(self, source: K, cost: float) -> None:
        """A source has its turn."""
        self.now = self.start(source)
        self._ends[source] = self.now + cost
        self._ends = {key: end for key, end in self._ends.items() if end > self.now}


@dataclass(frozen=True, slots=True)
class Source:
    """Where work comes from.

    Attributes:
        side: All that have this in common share one half, third, … of the turns.
        name: Told apart by this, they share it evenly.
    """

    side: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Waiting(Generic[T]):
    """Something that waits.

    Attributes:
        source: Where it is from.
        rows: What it costs, in samples.
        since: When it came, in monotonic seconds.
        until: When it is too late to begin it.
        work: What it is.
    """

    source: Source
    rows: int
    since: float
    until: float
    work: T


class Turns(Generic[T]):
    """All that wait, first come, first served within a source.

    Attributes:
        rows: How many samples wait.
    """

    def __init__(self) -> None:
        self._lines: dict[str, dict[str, deque[Waiting[T]]]] = {}
        self._sides = Shares[str]()
        self._names: dict[str, Shares[str]] = {}
        self.rows = 0

    def __bool__(self) -> bool:
        return bool(self._lines)

    @property
    def oldest(self) -> float:
        """When the one that waits longest has come; there must be one."""
        return min(line[0].since for lines in self._lines.values() for line in lines.values())

    def put(self, waiting: Waiting[T]) -> None:
        """This waits from now on."""
        source = waiting.source
        self._lines.setdefault(source.side, {}).setdefault(source.name, deque()).append(waiting)
        self.rows += waiting.rows

    def peek(self) -> Waiting[T]:
        """What is next; there must be something."""
        side = min(self._lines, key=self._sides.start)
        lines = self._lines[side]
        return lines[min(lines, key=self._shares(side).start)][0]

    def pop(self) -> Waiting[T]:
        """Take what is next; there must be something."""
        first = self.peek()
        side, name = first.source.side, first.source.name
        self._sides.take(side, first.rows)
        self._shares(side).take(name, first.rows)
        self._remove(side, name)
        self.rows -= first.rows
        return first

    def _shares(self, side: str) -> Shares[str]:
        return self._names.setdefault(side, Shares())

    def _remove(self, side: str, name: str) -> None:
        lines = self._lines[side]
        lines[name].popleft()
        if not lines[name]:
            del lines[name]
        if not lines:
            del self._lines[side]
