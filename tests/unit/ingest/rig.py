"""A running ingest module, with the other modules played by a script."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edge_common.fakes import FakeClock, FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import (
    HistoryMessage,
    InquiriesMessage,
    Inquiry,
    Item,
    ItemsMessage,
    KeptMessage,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    Reject,
    RejectsMessage,
)
from edge_common.metrics import Metrics
from edge_common.twin import SettingsKeeper
from edge_ingest.__main__ import wire
from edge_ingest.settings import IngestEnvironment, IngestSettings
from support.loops import rest

Answer = Receipt | Reject
Peer = Callable[[Item], Iterable[Answer]]
Memory = Callable[[Inquiry], Iterable[Answer]]


def put(folder: Path, path: str, data: bytes = b"data") -> Path:
    file = folder / "share" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


MARK = ".edge/share.mark"
"""What ingest itself puts on the share."""


def files(folder: Path) -> set[str]:
    share = folder / "share"
    return {str(path.relative_to(share)) for path in share.rglob("*") if not path.is_dir()}


def receipt(item: Item | Inquiry, status: ReceiptStatus) -> Receipt:
    return Receipt(id=item.id, attempt=item.attempt, status=status)


def reject(item: Item, code: str, *, retryable: bool = False) -> Reject:
    return Reject(id=item.id, attempt=item.attempt, stage="transform", code=code, message="No.", retryable=retryable)


def accepting(item: Item) -> list[Answer]:
    return [receipt(item, ReceiptStatus.ACCEPTED)]


def uploading(item: Item) -> list[Answer]:
    return [receipt(item, ReceiptStatus.ACCEPTED), receipt(item, ReceiptStatus.UPLOADED)]


def silent(_: Item | Inquiry) -> list[Answer]:
    return []


def unknown(inquiry: Inquiry) -> list[Answer]:
    return [receipt(inquiry, ReceiptStatus.UNKNOWN)]


@dataclass
class Rig:
    """One life of the module.

    Attributes:
        peer: What answers each item.
        memory: What answers each inquiry.
        messages: The items of each message that was sent.
        inquiries: What upload was asked and told.
        history: What upload was told of what happened.
        keeping: Whether it says that it has that.
        deaf: Whether all that is not even looked at.
    """

    hub: FakeHub
    clock: FakeClock
    metrics: Metrics
    share: Path
    state: Path
    peer: Peer
    memory: Memory = silent
    messages: list[Sequence[Item]] = field(default_factory=list)
    inquiries: list[InquiriesMessage] = field(default_factory=list)
    history: list[HistoryMessage] = field(default_factory=list)
    keeping: bool = True
    deaf: bool = False
    _read: int = 0

    @property
    def items(self) -> list[Item]:
        """All items that were sent, each time counted."""
        return [item for message in self.messages for item in message]

    def put(self, path: str, data: bytes = b"data") -> Path:
        file = self.share / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def answer(self, *answers: Answer) -> None:
        receipts = tuple(answer for answer in answers if isinstance(answer, Receipt))
        rejects = tuple(answer for answer in answers if isinstance(answer, Reject))
        if receipts:
            self.hub.deliver("receipts", ReceiptsMessage(receipts=receipts).encode())
        if rejects:
            self.hub.deliver("rejects", RejectsMessage(rejects=rejects).encode())

    def states(self) -> dict[str, str]:
        """The state of each path's latest item."""
        with closing(sqlite3.connect(self.state / "ledger.db")) as db:
            return dict(db.execute("SELECT path, state FROM item ORDER BY seen_at, rowid").fetchall())

    def row(self, path: str) -> dict[str, Any]:
        with closing(sqlite3.connect(self.state / "ledger.db")) as db:
            db.row_factory = sqlite3.Row
            return dict(db.execute("SELECT * FROM item WHERE path = ? ORDER BY rowid DESC", (path,)).fetchone())

    async def until(self, condition: Callable[[], bool], step: float = 0.2) -> None:
        """Let time pass, and the peer answer, until something is so."""
        async with asyncio.timeout(100):
            while not condition():
                await self.pass_time(step)

    async def during(self, *calls: Coroutine[Any, Any, None]) -> None:
        """Let time pass until calls have ended."""
        tasks = [asyncio.create_task(call) for call in calls]
        await self.until(lambda: all(task.done() for task in tasks))
        for task in tasks:
            task.result()

    async def invoke(self, method: str, payload: Any = None) -> tuple[int, Any]:
        """Call a direct method, and let time pass until it answers."""
        answers: list[tuple[int, Any]] = []

        async def call() -> None:
            answers.append(await self.hub.invoke(method, payload))

        await self.during(call())
        return answers[0]

    async def pass_time(self, seconds: float) -> None:
        await rest()
        await self.clock.advance(seconds)
        await asyncio.sleep(0.002)  # what watches the share is no thread that can be waited for
        self._play()

    async def until_state(self, step: float = 0.2, **expected: str) -> None:
        """Wait until paths (``__`` for a dot) are in states."""
        wanted = {path.replace("__", "."): state for path, state in expected.items()}
        await self.until(lambda: wanted.items() <= self.states().items(), step)

    def _keep(self, message: HistoryMessage) -> None:
        self.history.append(message)
        if self.keeping:
            numbers = tuple(event.number for item in message.items for event in item.events)
            self.hub.deliver("kept", KeptMessage(ledger=message.ledger, numbers=numbers).encode())

    def _play(self) -> None:
        new, self._read = self.hub.sent[self._read :], len(self.hub.sent)
        for message in new:
            if message.output == "inquiries":
                self.inquiries.append(InquiriesMessage.decode(message.body))
                self.answer(*(answer for inquiry in self.inquiries[-1].ask for answer in self.memory(inquiry)))
            elif message.output == "history":
                if not self.deaf:
                    self._keep(HistoryMessage.decode(message.body))
            else:
                items = ItemsMessage.decode(message.body).items
                self.messages.append(items)
                self.answer(*(answer for item in items for answer in self.peer(item)))


@asynccontextmanager
async def running(folder: Path, peer: Peer = uploading, **twin: Any) -> AsyncIterator[Rig]:
    """Run the module; leaving is like a kill, as draining writes nothing down.

    Args:
        folder: Holds the share and the state, also of earlier lives.
        peer: What answers each item.
        twin: Desired properties.
    """
    share, state = folder / "share", folder / "state"
    state.mkdir(exist_ok=True)
    hub, clock, metrics = FakeHub(twin={"$version": 1, **twin}), FakeClock(), Metrics()
    environment = IngestEnvironment(state_dir=state, share_dir=share)
    wiring = wire(Surroundings(environment, hub, clock, metrics))
    module = Module(wiring, SettingsKeeper(IngestSettings, state / "settings.json"), hub, metrics, {})
    life = asyncio.create_task(module.live(asyncio.Event()))
    try:
        rig = Rig(hub, clock, metrics, share, state, peer)
        await rig.until(lambda: hub.connected)
        yield rig
        assert not life.done()
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
