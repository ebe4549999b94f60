"""What upload's tests send it, and what they find in the store."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from edge_common.clock import SystemClock
from edge_common.fakes import FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import (
    InquiriesMessage,
    Inquiry,
    Item,
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
from edge_upload.__main__ import wire
from edge_upload.settings import UploadEnvironment, UploadSettings

DAY = date(2026, 1, 1)
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
    """Every row in the store; fails where a file's name is not its hash."""
    rows: list[dict[str, Any]] = []
    for path in sorted(cloud.rglob("*.parquet")):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        rows += table(path).to_pylist()
    return rows


def table(path: Path) -> pa.Table:
    """A shard."""
    return pq.ParquetFile(path).read()


class Bench:
    """Upload on a fake hub, with real disk, database and files.

    Args:
        root: Where its folders are.
    """

    def __init__(self, root: Path) -> None:
        self.state, self.tensors, self.cloud = root / "state", root / "tensors", root / "cloud"
        for folder in (self.state, self.tensors, self.cloud):
            folder.mkdir(parents=True, exist_ok=True)
        self.hub = FakeHub()
        self.metrics = Metrics()

    @asynccontextmanager
    async def running(self, **settings: Any) -> AsyncIterator[FakeHub]:
        """Run the module with these desired properties; a new hub each time, as after a restart."""
        self.hub = FakeHub(twin={"$version": 1, "shardSeconds": 0.01, **settings})
        self.metrics = Metrics()
        environment = UploadEnvironment(
            state_dir=self.state, tensor_dir=self.tensors, cloud_dir=self.cloud, iotedge_deviceid="edge 7"
        )
        wiring = wire(Surroundings(environment, self.hub, SystemClock(), self.metrics))
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

    async def rejects(self) -> Mapping[str, Reject]:
        """Wait for rejects, and return them by item."""
        sent = await self.hub.sent_to("rejects")
        return {reject.id: reject for message in sent for reject in RejectsMessage.decode(message.body).rejects}
