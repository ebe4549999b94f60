"""Sends items, and takes the answers to them: the one loop that moves the dispatcher."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from sqlite3 import Connection
from typing import NamedTuple

from edge_common.clock import Clock
from edge_common.hub import Hub, Received
from edge_common.messages import (
    Item,
    ItemsMessage,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    Reject,
    RejectsMessage,
    chunks,
)
from edge_ingest.backoff import Backoff
from edge_ingest.bell import Bell
from edge_ingest.dispatch import Dispatcher
from edge_ingest.flights import Limits, Loss, Plan
from edge_ingest.globs import Kinds
from edge_ingest.ledger import deliveries, endings
from edge_ingest.ledger.deliveries import Answered
from edge_ingest.ledger.journal import Journal
from edge_ingest.meters import Meters
from edge_ingest.settings import IngestSettings

Entry = Callable[[Connection], None]
"""Writes into the ledger what has arrived."""


class _Claimed(NamedTuple):
    together: list[Item]
    alone: list[Item]


class _Turned(NamedTuple):
    answered: Answered
    claimed: _Claimed
    settled: bool


class Listeners(NamedTuple):
    """Who is called when.

    Attributes:
        settled: Where the end of items is to be dealt with.
        doubted: Where upload is to be asked about items.
        look_again: With paths whose files are not what they were.
    """

    settled: Callable[[], None]
    doubted: Callable[[], None]
    look_again: Callable[[Iterable[str]], None]


class Courier:
    """Between the ledger and the other modules.

    Args:
        hub: Where items go.
        journal: The ledger.
        clock: Time.
        meters: Counted into.
        settings: What is in force.
        listeners: Called where answers, or their absence, have brought something about.
    """

    def __init__(
        self,
        hub: Hub,
        journal: Journal,
        clock: Clock,
        meters: Meters,
        settings: IngestSettings,
        listeners: Listeners,
    ) -> None:
        self._hub = hub
        self._journal = journal
        self._paused = False
        self._clock = clock
        self._meters = meters
        self._listeners = listeners
        self._bell = Bell(clock)
        self._enough = Bell(clock)
        self._sent = False
        self._turning = False
        self._entered = False
        self._receipts: list[Receipt] = []
        self._rejects: list[Reject] = []
        self._dispatcher = Dispatcher(Limits(), Backoff())
        self.configure(settings)

    def configure(self, settings: IngestSettings) -> None:
        """Put settings in force."""
        self._settings = settings
        self._kinds = Kinds(settings.kinds)
        self._limit()

    def pause(self, *, on: bool) -> None:
        """Send nothing more, or go on; answers are taken in any case."""
        self._paused = on
        self._limit()

    def _limit(self) -> None:
        window = 0 if self._paused else self._settings.window
        self._dispatcher.limits = Limits(window, self._settings.lease_seconds, self._settings.max_attempts)
        self._bell.ring()

    def arrived(self) -> None:
        """There may be new items in the ledger. The first of them do not wait for others, nor for answers."""
        self._bell.ring()
        if not self._sent:
            self._enough.ring()

    async def enter(self, entry: Entry) -> None:
        """Write down what has arrived, where possible in the transaction that claims it; durable when this returns."""
        if self._turning:  # which may last for as long as the hub is away
            await self._journal.do(entry)
            self._listeners.settled()
            self.arrived()
        else:
            written = self._journal.soon(entry)
            self._entered = True
            self.arrived()
            await written

    async def take_receipts(self, message: Received) -> None:
        """Handle a message on the input ``receipts``.

        Raises:
            MalformedMessageError: It cannot be read.
        """
        self._receipts += ReceiptsMessage.decode(message.body).receipts
        self._bell.ring()
        if len(self._receipts) >= self._settings.batch_items:
            self._enough.ring()

    async def take_rejects(self, message: Received) -> None:
        """Handle a message on the input ``rejects``.

        Raises:
            MalformedMessageError: It cannot be read.
        """
        self._rejects += RejectsMessage.decode(message.body).rejects
        self._bell.ring()

    async def run(self) -> None:
        """Take over from an earlier life, then send and listen for ever."""
        for suspect in await self._journal.do(deliveries.recover):
            self._dispatcher.suspect(*suspect)
        while True:
            self._turning = True
            await self._turn()
            self._turning = False
            await self._gather()
            await self._bell.wait(self._dispatcher.next_event() - self._clock.monotonic())

    async def _gather(self) -> None:
        """Let arrivals and answers come together, until they fill a message; the longer, the more is on its way."""
        messages = self._dispatcher.in_flight // self._settings.batch_items
        await self._enough.wait((1 + messages) * self._settings.batch_seconds)

    async def _turn(self) -> None:
        """Work on all that has come in, in one transaction, and send what may be sent then."""
        entered, self._entered = self._entered, False
        receipts, self._receipts = self._receipts, []
        rejects, self._rejects = self._rejects, []
        now = self._clock.monotonic()
        for receipt in receipts:
            self._follow(receipt, now)
        for reject in rejects:
            self._obey(reject, now)
        losses = self._dispatcher.expire(now)
        self._meters.lost.inc(len(losses))
        losses += self._dispatcher.blame()
        plan = self._dispatcher.plan(now)
        if entered or receipts or rejects or losses or plan != Plan():
            stamp = self._clock.now().timestamp()
            turned = await self._journal.do(_turn, receipts, rejects, losses, plan, stamp)
            self._act(turned)
            await self._send(plan, turned.claimed)
            self._sent = any(turned.claimed)

    def _follow(self, receipt: Receipt, now: float) -> None:
        match receipt.status:
            case ReceiptStatus.ACCEPTED | ReceiptStatus.UPLOADED:
                self._dispatcher.finish(receipt.id, now)
            case ReceiptStatus.PART | ReceiptStatus.DEFERRED:
                deferred = receipt.status is ReceiptStatus.DEFERRED
                self._dispatcher.renew(receipt.id, receipt.attempt, now, deferred=deferred)
            case ReceiptStatus.UNKNOWN:
                pass  # of no item that is in flight

    def _obey(self, reject: Reject, now: float) -> None:
        if deliveries.try_again(reject):
            self._dispatcher.put_off(reject.id, reject.attempt, now)
        else:
            self._dispatcher.refuse(reject.id, reject.attempt, now)

    def _act(self, turned: _Turned) -> None:
        answered = turned.answered
        for seconds in answered.waits:
            self._meters.accepted.observe(seconds)
        if turned.settled:
            self._listeners.settled()
        if answered.doubted:
            self._listeners.doubted()
        if answered.look_again:
            self._listeners.look_again(answered.look_again)

    async def _send(self, plan: Plan, claimed: _Claimed) -> None:
        for item in claimed.together:
            self._dispatcher.launch(item.id, item.attempt, alone=False, kind=self._kinds[item.path])
        for item in claimed.alone:
            self._dispatcher.launch(item.id, item.attempt, alone=True, kind=self._kinds[item.path])
        sent = {item.id for items in claimed for item in items}
        for item_id in {*plan.again, *plan.alone} - sent:
            self._dispatcher.abandon(item_id)
        by_kind: defaultdict[str, list[Item]] = defaultdict(list)
        for item in claimed.together:
            by_kind[self._kinds[item.path]].append(item)
        for kind, items in by_kind.items():
            for run in chunks(items, self._settings.batch_items):
                await self._send_message(kind, run, alone=False)
        for item in claimed.alone:
            await self._send_message(self._kinds[item.path], [item], alone=True)

    async def _send_message(self, kind: str, items: Sequence[Item], *, alone: bool) -> None:
        message = ItemsMessage(lease_seconds=self._settings.lease_seconds, items=tuple(items), alone=alone)
        await self._hub.send("items", message.encode(), {"kind": kind})
        self._dispatcher.sent([item.id for item in items], self._clock.monotonic())
        self._meters.sent.inc(len(items))


def _turn(
    db: Connection, receipts: list[Receipt], rejects: list[Reject], losses: list[Loss], plan: Plan, now: float
) -> _Turned:
    answered = deliveries.receive(db, receipts, now)
    deliveries.reject(db, rejects, answered)
    deliveries.lose(db, losses, answered)
    together = deliveries.claim(db, plan.again, plan.fresh, now)
    alone = deliveries.claim(db, plan.alone, plan.probes, now)
    return _Turned(answered, _Claimed(together, alone), endings.waiting(db))
