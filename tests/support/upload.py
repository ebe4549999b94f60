"""What upload's tests send it, and what they find in the store."""

import asyncio
import hashlib
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from prometheus_client import CollectorRegistry

from edge_common.clock import Clock, SystemClock
from edge_common.fakes import FakeHub
from edge_common.hub import Received
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import (
    Hint,
    HintsMessage,
    InquiriesMessage,
    Inquiry,
    Item,
    Mark,
    ModelIdentity,
    Part,
    PredictedPart,
    PredictionsMessage,
    Receipt,
    ReceiptsMessage,
    ReceiptStatus,
    Reject,
    RejectsMessage,
    TensorsMessage,
)
from edge_common.metrics import Metrics
from edge_common.tensors import TensorWriter
from edge_common.twin import SettingsKeeper
from edge_upload.__main__ import build
from edge_upload.answers import Answer
from edge_upload.metrics import UploadMetrics
from edge_upload.outbox import Outbox
from edge_upload.records import arrivals
from edge_upload.room import Limits
from edge_upload.settings import UploadEnvironment, UploadSettings
from edge_upload.shards import Group, Intent
from edge_upload.sinks import Sink, Stored
from edge_upload.sinks.share import ShareSink
from edge_upload.spool_parts import SpoolParts

DAY = date(2026, 1, 1)
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STAMP = "5" * 64
MODEL = ModelIdentity(name="digits", version="1", digest="sha256:" + "d" * 64)


def item(name: str = "a", *, attempt: int = 1, day: date = DAY) -> Item:
    """An item whose id, path and content follow from its name."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    return Item(
        id=digest[:32],
        path=f"in/{name}.png",
        sha256=digest,
        size=10,
        captured=datetime(2026, 1, 1, 12, 30, 15, 250_000, tzinfo=UTC),
        date=day,
        attempt=attempt,
    )


def kept(share: Path, of: Item) -> Item:
    """The item with a file on the share."""
    path = share / of.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(of.path.encode() * 3)
    content = path.read_bytes()
    return of.model_copy(update={"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)})


def raw(cloud: Path) -> dict[str, bytes]:
    """The originals in the store, by item."""
    return {path.stem: path.read_bytes() for path in cloud.glob("raw/*/*/*")}


def far_window() -> str:
    """An upload window that opens in some hours."""
    begin = datetime.now(UTC) + timedelta(hours=11)
    return f"{begin:%H:%M}-{begin + timedelta(hours=1):%H:%M}"


def hints(*items: Item, mark: Mark = Mark.DISAGREEMENT) -> bytes:
    """A message that says so of these items."""
    return HintsMessage(hints=tuple(Hint(id=one.id, attempt=one.attempt, mark=mark) for one in items)).encode()


def predicted(of: Item, *, part: int = 0, last: bool = True, first: int = 0, rows: int = 1) -> PredictedPart:
    """A part whose rows' labels tell item and part."""
    label = f"{of.path}/{part}"
    return PredictedPart(
        item=of, part=part, last=last, first=first, rows=rows, predictions=({"label": label, "score": 0.75},) * rows
    )


def predictions(*parts: PredictedPart, batch: str = "b") -> bytes:
    """A message with them."""
    return PredictionsMessage(batch=batch, stamp=STAMP, kind="classification", model=MODEL, parts=parts).encode()


def tensors(*parts: Part, batch: str = "b") -> bytes:
    """A message of tensors without predictions."""
    return TensorsMessage(batch=batch, stamp=STAMP, parts=parts).encode()


def inquiry(ask: Iterable[Item] = (), settled: Iterable[Item] = ()) -> bytes:
    """A message that asks about items, and says of others that they are settled."""
    questions = tuple(Inquiry(id=one.id, attempt=one.attempt) for one in ask)
    return InquiriesMessage(ask=questions, settled=tuple(one.id for one in settled)).encode()


def stored(cloud: Path) -> list[dict[str, Any]]:
    """Every row in the store but the ledger's; fails where a file's name is not its hash."""
    rows: list[dict[str, Any]] = []
    for path in sorted(path for path in cloud.rglob("*.parquet") if "_ledger" not in path.parts):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        rows += table(path).to_pylist()
    return rows


def table(path: Path) -> pa.Table:
    """A shard."""
    return pq.ParquetFile(path).read()


async def until_history(bench: "Bench") -> None:
    """Wait until the store has all that has happened so far."""
    query = "SELECT count(*) FROM events"
    with closing(sqlite3.connect(bench.state / "spool.db")) as db:
        while db.execute(query).fetchone()[0]:
            await asyncio.sleep(0.01)


class Parts:
    """Upload's parts on a folder, for tests that take its steps one by one.

    Args:
        root: Where its folders are.
    """

    def __init__(self, root: Path) -> None:
        for folder in ("state", "cloud", "tensors"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.cloud = root / "cloud"
        self.registry = CollectorRegistry()
        self.metrics = UploadMetrics(self.registry)
        kept = SpoolParts.open(root / "state" / "spool.db", "appliance", root / "tensors", self.metrics)
        self.database, self.index, self.events = kept.database, kept.index, kept.events
        self.spool, self.hints = kept.spool, kept.hints
        self.shards, self.originals = kept.shards, kept.originals
        self.outbox = Outbox(root / "state" / "outbox", "edge 7")
        self.limits = Limits(1 << 30, 1 << 20, lambda: 1 << 40)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def store(self, *bodies: bytes, now: datetime = NOON, **settings: Any) -> list[Answer]:
        """Store what these messages of predictions bring, in one commit."""
        came = [arrival for body in bodies for arrival in arrivals(Received("records", body))]
        return self.spool.store(came, self.limits, now, UploadSettings(**settings))

    def cut(self, most_rows: int = 1000, group: Group | None = None) -> Intent:
        """Cut a shard of a group, or of the first that waits, and keep the intent."""
        claim = self.shards.claim(group or self.shards.groups()[0], 1 << 20, most_rows)
        intent = self.outbox.cut(claim, self.shards.entries(claim))
        self.shards.intend(intent)
        return intent

    def settle(self, intent: Intent) -> list[Receipt]:
        """Say that the store has a shard."""
        stored = Stored(intent.name, self.outbox.file(intent.number).stat().st_size, written=True)
        return list(self.shards.settle(intent, stored, NOON))


class HurriedClock:
    """A clock on which nothing takes time but waiting, and that takes none."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def now(self) -> datetime:
        """Starts at noon."""
        return NOON + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Starts at 0."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Let the others work once, and be later."""
        await asyncio.sleep(0)
        self._seconds += seconds


class StoppedClock(HurriedClock):
    """A hurried clock whose wall clock stands still.

    Attributes:
        wall: What it shows.
    """

    def __init__(self) -> None:
        super().__init__()
        self.wall = NOON

    def now(self) -> datetime:
        """What it was set to."""
        return self.wall


class Bench:
    """Upload on a fake hub, with real disk, database and files.

    Args:
        root: Where its folders are.
        device: Whose upload it is.
    """

    def __init__(self, root: Path, device: str = "edge 7") -> None:
        self.device = device
        self.state, self.tensors, self.cloud = root / "state", root / "tensors", root / "cloud"
        self.share = root / "share"
        self.share_dir: Path | None = self.share
        for folder in (self.state, self.tensors, self.cloud, self.share):
            folder.mkdir(parents=True, exist_ok=True)
        self.hub = FakeHub()
        self.metrics = Metrics()
        self.sink: Sink = ShareSink(self.cloud)
        self.clock: Clock = SystemClock()

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[FakeHub]:
        """Run the module with these desired properties; a new hub each time, as after a restart."""
        self.hub = FakeHub(twin={"$version": 1, "shardSeconds": 0.01, **settings})
        self.metrics = Metrics()
        environment = UploadEnvironment(
            state_dir=self.state,
            tensor_dir=self.tensors,
            cloud_dir=self.cloud,
            share_dir=self.share_dir,
            iotedge_deviceid=self.device,
        )
        wiring = build(Surroundings(environment, self.hub, self.clock, self.metrics), self.sink)
        keeper = SettingsKeeper(UploadSettings, self.state / "settings.json")
        stop = asyncio.Event()
        module = Module(wiring, keeper, self.hub, self.metrics, {"module": "upload"})
        life = asyncio.create_task(module.live(stop))
        try:
            await self.hub.until_reported("config.status", "ok")
            yield self.hub
        finally:
            stop.set()
            await life

    def batch(self, name: str, rows: npt.NDArray[np.generic]) -> None:
        """Put a batch into the tensor store."""
        TensorWriter(self.tensors, 1 << 30).write(name, rows)

    async def uploaded(self, items: Iterable[Item]) -> None:
        """Wait until each of these items has been said to be uploaded."""
        missing = {one.id for one in items}
        count = len(missing)
        while missing:
            receipts = await self.receipts(ReceiptStatus.UPLOADED, count)
            missing -= {receipt.id for receipt in receipts}
            count = len(receipts) + 1

    async def receipts(self, status: ReceiptStatus, count: int = 1) -> Sequence[Receipt]:
        """Wait until so many receipts of one status have been sent, and return them all."""
        messages = 1
        while True:
            sent = await self.hub.sent_to("receipts", messages)
            found = [
                receipt
                for message in sent
                for receipt in ReceiptsMessage.decode(message.body).receipts
                if receipt.status is status
            ]
            if len(found) >= count:
                return found
            messages = len(sent) + 1

    def counted(self, name: str, **labels: str) -> float | None:
        """The value of one of the module's metrics."""
        return self.metrics.registry.get_sample_value(name, labels)

    async def rejects(self) -> Mapping[str, Reject]:
        """Wait for rejects, and return them by item."""
        sent = await self.hub.sent_to("rejects")
        return {reject.id: reject for message in sent for reject in RejectsMessage.decode(message.body).rejects}
