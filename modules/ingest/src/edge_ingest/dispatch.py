"""Which items to send next, and what the answers, or their absence, mean. No I/O; time is given.

An item is *in flight* from the decision to send it until an answer frees it or its lease ends. At most ``window`` are.
An item that was lost twice is a *suspect*: it might be what brings a stage down. It travels alone in a message, in a
lane of an eighth of the window. Lost there as well, it next has the lane to itself, and only such a loss, while others
got through, is a *strike*. Enough strikes, and the item is given up as lost.

Where nothing good is heard any more the chain *stalls*: only the lane goes on sending, which probes without driving
the whole backlog into a chain that is down. A loss in silence makes a suspect, but never a strike.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from math import inf
from typing import Final

from edge_ingest.backoff import Backoff

SUSPECT: Final = 2
"""Losses that make an item a suspect."""

MOST_PUT_OFF: Final = 8
"""Windows full of items that wait to be sent again; beyond, none is sent for the first time."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is in force; see the settings of the same names."""

    window: int = 256
    lease_s: float = 60.0
    max_attempts: int = 3

    @property
    def lane(self) -> int:
        """Items that travel alone, at most."""
        return max(1, self.window // 8)


@dataclass(slots=True)
class Flight:
    """An item that is known here: in flight, or put off."""

    id: str
    attempt: int = 0
    losses: int = 0
    strikes: int = 0
    delays: int = 0
    alone: bool = False
    undivided: bool = False
    deferred: bool = False
    sent_at: float = inf
    deadline: float = inf


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
    """A lease that ended without an answer.

    Attributes:
        given_up: Whether the item is to be quarantined rather than sent again.
    """

    id: str
    losses: int
    strikes: int
    given_up: bool


@dataclass
class _Queue:
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


class Dispatcher:
    """Decides what is sent when.

    Args:
        limits: May be replaced at any time.
        backoff: How long a lost or rejected item is put off.
    """

    def __init__(self, limits: Limits, backoff: Backoff) -> None:
        self.limits = limits
        self._backoff = backoff
        self._boarding: dict[str, Flight] = {}
        self._flights: dict[str, Flight] = {}  # in the order of their deadlines
        self._lane: set[str] = set()
        self._put_off = _Queue()
        self._suspects = _Queue()
        self._heard_at = -inf
        self._good_at = -inf
        self._stalled = False

    @property
    def in_flight(self) -> int:
        """Items sent, or about to be, without an end so far."""
        return len(self._boarding) + len(self._flights)

    def suspect(self, item: str, losses: int, strikes: int) -> None:
        """Take over a suspect of an earlier life."""
        self._suspects.push(-inf, Flight(item, losses=losses, strikes=strikes))

    def plan(self, now: float) -> Plan:
        """Decide what to send; what is named is in flight from here on, what is counted once it is launched."""
        alone = tuple(flight.id for flight in self._fill_lane(now))
        if self._stalled:
            untried = self._lane_room() - len(self._put_off) - len(self._suspects)
            return Plan(alone=alone, probes=max(0, untried))
        again = tuple(flight.id for flight in self._fill_window(now))
        full = len(self._put_off) + len(self._suspects) >= MOST_PUT_OFF * self.limits.window
        return Plan(again, 0 if full else max(0, self._room()), alone)

    def launch(self, item: str, attempt: int, *, alone: bool) -> None:
        """An item that was planned for is being sent."""
        if item not in self._boarding:
            self.abandon(item)
            self._boarding[item] = Flight(item)
        flight = self._boarding[item]
        flight.attempt, flight.alone, flight.deferred = attempt, alone, False
        if alone:
            self._lane.add(item)

    def sent(self, items: Iterable[str], now: float) -> None:
        """Items are with the hub: their leases begin."""
        for item in items:
            flight = self._boarding.pop(item, None)
            if flight:
                flight.sent_at = now
                self._lease(flight, now)

    def abandon(self, item: str) -> None:
        """An item is no longer to be sent, or has come to its end."""
        self._boarding.pop(item, None)
        self._flights.pop(item, None)
        self._put_off.remove(item)
        self._suspects.remove(item)
        self._lane.discard(item)

    def finish(self, item: str, now: float) -> None:
        """An answer that ends an item's flight for good."""
        self._heard(now, good=True)
        self.abandon(item)

    def refuse(self, item: str, attempt: int, now: float) -> None:
        """An answer that says that the item cannot be processed: the chain is well, and the item's flight is over."""
        self._heard(now, good=True)
        flight = self._known(item)
        if flight and flight.attempt == attempt:
            self.abandon(item)

    def renew(self, item: str, attempt: int, now: float, *, deferred: bool) -> None:
        """An answer that holds an item's lease: a part has arrived, or there is no room for it yet."""
        self._heard(now, good=True)
        flight = self._flights.get(item)
        if flight and flight.attempt == attempt:
            flight.deferred = flight.deferred or deferred
            self._lease(flight, now)

    def put_off(self, item: str, attempt: int, now: float) -> None:
        """An answer that asks for another try: it ends the lease, and counts for nothing."""
        self._heard(now, good=False)
        flight = self._flights.get(item)
        if flight and flight.attempt == attempt:
            self._stalled = self._stalled or self._good_at < flight.sent_at
            self._delay(flight, now)

    def expire(self, now: float) -> list[Loss]:
        """End the leases that are over."""
        losses = []
        while self._flights and (flight := next(iter(self._flights.values()))).deadline <= now:
            losses.append(self._lose(flight, now))
        return losses

    def next_event(self) -> float:
        """When a lease ends, or an item comes due that there is room for, whichever is first."""
        first = next(iter(self._flights.values()), None)
        times = [first.deadline] if first else []
        times += [entry[0] for queue in self._open_queues() if (entry := queue.first())]
        return min(times, default=inf)

    def _known(self, item: str) -> Flight | None:
        for known in (self._flights, self._boarding, self._put_off, self._suspects):
            if flight := known.get(item):
                return flight
        return None

    def _heard(self, now: float, *, good: bool) -> None:
        self._heard_at = now
        if good:
            self._good_at, self._stalled = now, False

    def _lease(self, flight: Flight, now: float) -> None:
        self._flights.pop(flight.id, None)
        flight.deadline = now + self.limits.lease_s
        self._flights[flight.id] = flight

    def _lose(self, flight: Flight, now: float) -> Loss:
        silence = self._heard_at < flight.sent_at
        self._stalled = self._stalled or self._good_at < flight.sent_at
        if not flight.deferred:
            flight.strikes += flight.undivided and not silence
            flight.losses += not silence or flight.losses < SUSPECT
        given_up = flight.strikes >= self.limits.max_attempts
        if given_up:
            self.abandon(flight.id)
        else:
            self._delay(flight, now)
        return Loss(flight.id, flight.losses, flight.strikes, given_up)

    def _delay(self, flight: Flight, now: float) -> None:
        self.abandon(flight.id)
        flight.delays += 1
        queue = self._suspects if flight.losses >= SUSPECT else self._put_off
        queue.push(now + self._backoff.delay(flight.delays), flight)

    def _room(self) -> int:
        return self.limits.window - self.in_flight

    def _lane_room(self) -> int:
        if any(flight.undivided for flight in self._lane_flights()):
            return 0
        return min(self.limits.lane - len(self._lane), self._room())

    def _lane_flights(self) -> Iterator[Flight]:
        known: Mapping[str, Flight]
        for item in self._lane:
            for known in (self._boarding, self._flights):
                if item in known:
                    yield known[item]

    def _open_queues(self) -> Iterator[_Queue]:
        """Queues whose first item could go now, were it due."""
        entry = self._suspects.first()
        if self._lane_room() > 0 and (entry is None or self._may_join(entry[1])):
            yield self._suspects
            if self._stalled:
                yield self._put_off
        if self._room() > 0 and not self._stalled:
            yield self._put_off

    def _may_join(self, flight: Flight) -> bool:
        return not (self._lane and self._needs_all(flight))

    def _needs_all(self, flight: Flight) -> bool:
        """Whether a suspect is to have the lane to itself; not while nobody else could get through."""
        return flight.losses > SUSPECT and not self._stalled

    def _fill_lane(self, now: float) -> Iterator[Flight]:
        queues = [self._suspects, self._put_off] if self._stalled else [self._suspects]
        for queue in queues:
            while self._lane_room() > 0 and (flight := self._next(queue, now)):
                if not self._may_join(flight):
                    return
                flight.undivided = self._needs_all(flight)
                yield self._board(queue, flight, alone=True)

    def _fill_window(self, now: float) -> Iterator[Flight]:
        while self._room() > 0 and (flight := self._next(self._put_off, now)):
            yield self._board(self._put_off, flight, alone=False)

    def _next(self, queue: _Queue, now: float) -> Flight | None:
        entry = queue.first()
        return entry[1] if entry and entry[0] <= now else None

    def _board(self, queue: _Queue, flight: Flight, *, alone: bool) -> Flight:
        queue.remove(flight.id)
        flight.deadline = inf
        self._boarding[flight.id] = flight
        if alone:
            self._lane.add(flight.id)
        return flight
