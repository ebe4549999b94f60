"""What the dispatcher goes by: limits, what it knows of an item, items whose time has not come, what it decides."""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from math import inf

from edge_ingest.globs import OTHERS


@dataclass(frozen=True, slots=True)
class Limits:
    """What is in force; see the settings of the same names. With a window of 0 nothing is sent."""

    window: int = 256
    lease_s: float = 60.0
    max_attempts: int = 3

    @property
    def lane(self) -> int:
        """Items that travel alone, at most."""
        return max(1, self.window // 8)


@dataclass(slots=True)
class Flight:
    """An item that is in flight, or put off.

    Attributes:
        id: The item's id.
        attempt: Of the last send.
        losses: Leases that ended without an answer.
        strikes: Those of them that speak against the item itself.
        delays: How often it was put off in a row.
        alone: Whether it travels in a message of its own.
        undivided: Whether it has the lane to itself.
        deferred: Whether upload has said that it has no room for it yet.
        accused_at: Set on a suspect that was lost: once others get through after that time, it is to blame.
        sent_at: When it was last with the hub.
        deadline: When its lease ends.
        kind: As which it was sent last; those of one kind take the same way.
    """

    id: str
    attempt: int = 0
    losses: int = 0
    strikes: int = 0
    delays: int = 0
    alone: bool = False
    undivided: bool = False
    deferred: bool = False
    accused_at: float = inf
    sent_at: float = inf
    deadline: float = inf
    kind: str = OTHERS


@dataclass
class Queue:
    """Items that wait for their time."""

    _heap: list[tuple[float, int, Flight]] = field(default_factory=list)
    _live: dict[str, Flight] = field(default_factory=dict)
    _order: Iterator[int] = field(default_factory=count)

    def __len__(self) -> int:
        return len(self._live)

    def push(self, due: float, flight: Flight) -> None:
        self._live[flight.id] = flight
        heapq.heappush(self._heap, (due, next(self._order), flight))

    def first(self) -> tuple[float, Flight] | None:
        """The first to come due, with its time; left in the queue."""
        while self._heap and self._live.get(self._heap[0][2].id) is not self._heap[0][2]:
            heapq.heappop(self._heap)
        return (self._heap[0][0], self._heap[0][2]) if self._heap else None

    def get(self, item: str) -> Flight | None:
        return self._live.get(item)

    def remove(self, item: str) -> None:
        self._live.pop(item, None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send now.

    Attributes:
        again: Items to send again, together with others.
        fresh: How many items to send for the first time, together with others.
        alone: Items to send again, each in a message of its own.
        probes: How many items to send for the first time, each in a message of its own.
    """

    again: tuple[str, ...] = ()
    fresh: int = 0
    alone: tuple[str, ...] = ()
    probes: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """What is held against an item, after a lease that ended without an answer.

    Attributes:
        id: The item's id.
        losses: Up to now.
        strikes: Up to now.
        given_up: Whether the item is to be quarantined rather than sent again.
    """

    id: str
    losses: int
    strikes: int
    given_up: bool
