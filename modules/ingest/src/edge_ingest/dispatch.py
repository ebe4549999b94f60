"""Which items to send next, and what the answers, or their absence, mean. No I/O; time is given.

An item is *in flight* from the decision to send it until an answer frees it or its lease ends. At most ``window`` are.
An item that was lost twice is a *suspect*: it might be what brings a stage down. It travels alone in a message, in a
lane of an eighth of the window. A suspect that is lost is to blame only if others of its kind, which take the same way,
get through afterwards, that is, between the middle of its lease and its next send. Blamed once, it has the lane to
itself from then on; blamed again, that is a *strike*. Enough strikes, and the item is given up as lost.

Where nothing good is heard any more the chain *stalls*: only the lane goes on sending, which probes without driving
the whole backlog into a chain that is down.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from math import inf
from typing import Final

from edge_ingest.backoff import Backoff
from edge_ingest.flights import Flight, Limits, Loss, Plan, Queue
from edge_ingest.globs import OTHERS

SUSPECT: Final = 2
"""Losses that make an item a suspect."""

MANY_WAITING: Final = 8
"""Windows full of items that wait to be sent again; in a stalled chain, that is a reason to be slow with others."""


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
        self._undivided: str | None = None
        self._put_off = Queue()
        self._suspects = Queue()
        self._accused: dict[str, Flight] = {}
        self._heard_at = -inf
        self._heard_of: defaultdict[str, float] = defaultdict(lambda: -inf)
        self._good_at = -inf
        self._stalled = False
        self._trickle_at = -inf

    @property
    def in_flight(self) -> int:
        """Items sent, or about to be, without an end so far."""
        return len(self._boarding) + len(self._flights)

    def suspect(self, item: str, losses: int, strikes: int) -> None:
        """Take over a suspect of an earlier life."""
        self._suspects.push(-inf, Flight(item, losses=losses, strikes=strikes))

    def plan(self, now: float) -> Plan:
        """Decide what to send; what is named is in flight from here on, what is counted once it is launched."""
        if self._stalled:
            return self._probe(now)
        alone = tuple(flight.id for flight in self._fill_lane(now))
        again = tuple(flight.id for flight in self._fill_window(now))
        return Plan(again, max(0, self._room()), alone)

    def launch(self, item: str, attempt: int, *, alone: bool, kind: str = OTHERS) -> None:
        """An item that was planned for is being sent, as one of that kind."""
        if item not in self._boarding:
            self.abandon(item)
            self._boarding[item] = Flight(item)
        flight = self._boarding[item]
        flight.attempt, flight.alone, flight.deferred, flight.kind = attempt, alone, False, kind
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
        self._accused.pop(item, None)
        self._lane.discard(item)
        if self._undivided == item:
            self._undivided = None

    def finish(self, item: str, now: float) -> None:
        """An answer that ends an item's flight for good."""
        self._heard(item, now, good=True)
        self.abandon(item)

    def refuse(self, item: str, attempt: int, now: float) -> None:
        """An answer that says that the item cannot be processed: the chain is well, and the item's flight is over."""
        self._heard(item, now, good=True)
        flight = self._known(item)
        if flight and flight.attempt == attempt:
            self.abandon(item)

    def renew(self, item: str, attempt: int, now: float, *, deferred: bool) -> None:
        """An answer that holds an item's lease: a part has arrived, or there is no room for it yet."""
        self._heard(item, now, good=True)
        flight = self._flights.get(item)
        if flight and flight.attempt == attempt:
            flight.deferred = flight.deferred or deferred
            self._lease(flight, now)

    def put_off(self, item: str, attempt: int, now: float) -> None:
        """An answer that asks for another try: it ends the lease, and counts for nothing."""
        self._heard(item, now, good=False)
        flight = self._flights.get(item)
        if flight and flight.attempt == attempt:
            self._stall(flight, now)
            self._delay(flight, now)

    def expire(self, now: float) -> list[Loss]:
        """End the leases that are over."""
        losses = []
        while self._flights and (flight := next(iter(self._flights.values()))).deadline <= now:
            losses.append(self._lose(flight, now))
        return losses

    def blame(self) -> list[Loss]:
        """Hold against suspects that they were lost, where others have got through since."""
        blamed = [flight for flight in self._accused.values() if flight.accused_at < self._heard_of[flight.kind]]
        return [self._blame(flight) for flight in blamed]

    def next_event(self) -> float:
        """When a lease ends, or an item comes due that there is room for, whichever is first."""
        first = next(iter(self._flights.values()), None)
        times = [first.deadline] if first else []
        times += [entry[0] for queue in self._open_queues() if (entry := queue.first())]
        if self._stalled and self._lane_room() > 0 and self._trickles(self._trickle_at):
            times.append(self._trickle_at)
        return min(times, default=inf)

    def _known(self, item: str) -> Flight | None:
        for known in (self._flights, self._boarding, self._put_off, self._suspects):
            if flight := known.get(item):
                return flight
        return None

    def _heard(self, item: str, now: float, *, good: bool) -> None:
        self._heard_at = now
        if flight := self._known(item):
            self._heard_of[flight.kind] = now
        if good:
            self._good_at, self._stalled = now, False

    def _stall(self, flight: Flight, now: float) -> None:
        """Nothing good was heard since an item was sent that came to nothing."""
        if not self._stalled and self._good_at <= flight.sent_at:
            self._stalled, self._trickle_at = True, now + self._backoff.first_s

    def _lease(self, flight: Flight, now: float) -> None:
        self._flights.pop(flight.id, None)
        flight.deadline = now + self.limits.lease_s
        self._flights[flight.id] = flight

    def _lose(self, flight: Flight, now: float) -> Loss:
        self._stall(flight, now)
        accused = flight.losses >= SUSPECT and not flight.deferred
        flight.losses += flight.losses < SUSPECT and not flight.deferred
        self._delay(flight, now)
        if accused:
            flight.accused_at = flight.sent_at + self.limits.lease_s / 2
            self._accused[flight.id] = flight
        return Loss(flight.id, flight.losses, flight.strikes, given_up=False)

    def _blame(self, flight: Flight) -> Loss:
        del self._accused[flight.id]
        flight.strikes += flight.undivided
        flight.losses += 1
        given_up = flight.strikes >= self.limits.max_attempts
        if given_up:
            self.abandon(flight.id)
        return Loss(flight.id, flight.losses, flight.strikes, given_up)

    def _delay(self, flight: Flight, now: float) -> None:
        self.abandon(flight.id)
        flight.delays += 1
        queue = self._suspects if flight.losses >= SUSPECT else self._put_off
        queue.push(now + self._backoff.delay(flight.delays), flight)

    def _room(self) -> int:
        return self.limits.window - self.in_flight

    def _probe(self, now: float) -> Plan:
        """Send a few in a stalled chain. One place a second is for those never tried: all others may be bad."""
        trickle = self._lane_room() > 0 and self._trickles(now) and now >= self._trickle_at
        if trickle:
            many = self._waiting >= MANY_WAITING * self.limits.window
            self._trickle_at = now + (self._backoff.longest_s if many else self._backoff.first_s)
        alone = tuple(flight.id for flight in self._fill_lane(now, spare=int(trickle)))
        return Plan(alone=alone, probes=max(int(trickle), self._lane_room() - self._waiting))

    def _trickles(self, now: float) -> bool:
        """Whether a stalled chain answers at all; one that is silent is probed by those it owes an answer."""
        return now < self._heard_at + self.limits.lease_s

    @property
    def _waiting(self) -> int:
        return len(self._put_off) + len(self._suspects)

    def _lane_room(self) -> int:
        if self._undivided:
            return 0
        return min(self.limits.lane - len(self._lane), self._room())

    def _open_queues(self) -> Iterator[Queue]:
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

    def _fill_lane(self, now: float, spare: int = 0) -> Iterator[Flight]:
        queues = [self._suspects, self._put_off] if self._stalled else [self._suspects]
        for queue in queues:
            while self._lane_room() > spare and (flight := self._next(queue, now)):
                if not self._may_join(flight):
                    return
                flight.undivided = self._needs_all(flight)
                self._undivided = flight.id if flight.undivided else None
                yield self._board(queue, flight, alone=True)

    def _fill_window(self, now: float) -> Iterator[Flight]:
        while self._room() > 0 and (flight := self._next(self._put_off, now)):
            yield self._board(self._put_off, flight, alone=False)

    def _next(self, queue: Queue, now: float) -> Flight | None:
        entry = queue.first()
        return entry[1] if entry and entry[0] <= now else None

    def _board(self, queue: Queue, flight: Flight, *, alone: bool) -> Flight:
        queue.remove(flight.id)
        self._accused.pop(flight.id, None)
        self._boarding[flight.id] = flight
        if alone:
            self._lane.add(flight.id)
        return flight
