"""The four modules, each on a hub whose other side is the test, as far as they are alike."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import edge_inference.__main__
import edge_ingest.__main__
import edge_transform.__main__
import edge_upload.__main__
from edge_common.clock import SystemClock
from edge_common.contract import ImageInput
from edge_common.fakes import FakeHub
from edge_common.hub import Received
from edge_common.lifecycle import Module, Surroundings, Wiring
from edge_common.messages import (
    Body,
    ContractMessage,
    Event,
    Hint,
    HintsMessage,
    HistoryMessage,
    InquiriesMessage,
    Inquiry,
    Item,
    ItemHistory,
    ItemsMessage,
    KeptMessage,
    LiveShare,
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
    TrialBatchMessage,
    TrialMessage,
)
from edge_common.metrics import Metrics
from edge_common.settings import Environment, TwinSettings
from edge_common.twin import SettingsKeeper
from edge_inference.settings import InferenceEnvironment, InferenceSettings
from edge_ingest.settings import IngestEnvironment, IngestSettings
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_upload.settings import UploadEnvironment, UploadSettings

HANDLED = "handled"
"""An input that tests add: messages are handled in turn, so what came before has been handled as well."""

WANTED = ImageInput(width=8, height=8, mean=(0, 0, 0), scale=(1, 1, 1))
ITEM = Item(
    id="0" * 32,
    path="a/b.png",
    sha256="1" * 64,
    size=1,
    captured="2026-01-01T00:00:00Z",
    date="2026-01-01",
    attempt=1,
)
PART = Part(item=ITEM, first=0, rows=1)
MODEL = ModelIdentity(name="digits", version="1", digest="sha256:" + "2" * 64)
PREDICTED = PredictedPart(item=ITEM, first=0, rows=1, predictions=({"label": "7", "score": 0.5},))

ITEMS = ItemsMessage(lease_seconds=60, items=(ITEM,))
CONTRACT = ContractMessage(stamp=WANTED.stamp, input=WANTED)
TENSORS = TensorsMessage(batch="b", stamp=WANTED.stamp, parts=(PART,))
PREDICTIONS = PredictionsMessage(batch="b", stamp=WANTED.stamp, kind="classification", model=MODEL, parts=(PREDICTED,))
RECEIPTS = ReceiptsMessage(receipts=(Receipt(id=ITEM.id, attempt=1, part=0, status=ReceiptStatus.ACCEPTED),))
REJECTS = RejectsMessage(
    rejects=(Reject(id=ITEM.id, attempt=1, stage="transform", code="EMPTY", message="No.", retryable=False),)
)
TRIALS = TrialMessage(trial="t", input=WANTED, seconds=60, source=LiveShare(share=1))
TRIAL_BATCHES = TrialBatchMessage(trial="t", batch="b", parts=(PART,))
HINTS = HintsMessage(hints=(Hint(id=ITEM.id, attempt=1, mark=Mark.DRIFT),))
SEEN = Event(number=1, event="seen", attempt=0, at=0)
OF_ITEM = {"id": ITEM.id, "path": ITEM.path, "sha256": ITEM.sha256, "size": 1, "date": ITEM.date, "generation": 0}
HISTORY = HistoryMessage(ledger="0" * 32, items=(ItemHistory.model_validate({**OF_ITEM, "events": (SEEN,)}),))
KEPT = KeptMessage(ledger="0" * 32, numbers=(1,))
INQUIRIES = InquiriesMessage(ask=(Inquiry(id=ITEM.id, attempt=1),), settled=(ITEM.id,))


@dataclass(frozen=True)
class Kind:
    """One of the modules.

    Attributes:
        wire: Builds it.
        environment: Its environment, given a folder.
        settings: Its desired properties.
        inputs: For each input, a message that it takes.
    """

    wire: Callable[[Surroundings[Any]], Wiring[Any]]
    environment: Callable[[Path], Environment]
    settings: type[TwinSettings]
    inputs: Mapping[str, Body]

    @asynccontextmanager
    async def running(self, folder: Path, **desired: Any) -> AsyncIterator["Running"]:
        """Run it; an error that ends it is raised at the end."""
        for name in ("state", "share", "tensors", "models", "cloud"):
            (folder / name).mkdir(exist_ok=True)
        hub, metrics, stop = FakeHub(twin={"$version": 1, **desired}), Metrics(), asyncio.Event()
        wiring = self.wire(Surroundings(self.environment(folder), hub, SystemClock(), metrics))
        handled = asyncio.Event()

        async def tell(_: Received) -> None:
            handled.set()

        watched = replace(wiring, inputs={**wiring.inputs, HANDLED: tell})
        keeper = SettingsKeeper(self.settings, folder / "state" / "settings.json", frozenset(wiring.sections))
        life = asyncio.create_task(Module(watched, keeper, hub, metrics, {}).live(stop))
        try:
            running = Running(hub, metrics, life, handled, tuple(wiring.inputs), tuple(wiring.methods))
            await running.until_reported("status.state", "running")
            yield running
        finally:
            stop.set()
            await life


@dataclass(frozen=True)
class Running:
    """A module that runs."""

    hub: FakeHub
    metrics: Metrics
    life: "asyncio.Task[None]"
    handled: asyncio.Event
    inputs: tuple[str, ...]
    methods: tuple[str, ...]

    def malformed(self, name: str) -> float:
        """How many messages on an input could not be read."""
        return self.metrics.registry.get_sample_value("edge_messages_malformed_total", {"input": name}) or 0

    async def until_handled(self) -> None:
        """Wait until all that was delivered has been handled, or the module has ended."""
        self.handled.clear()
        self.hub.deliver(HANDLED, b"")
        await self._or_end(self.handled.wait())

    async def until_reported(self, key: str, value: Any) -> None:
        """Wait until a reported property has a value, or the module has ended."""
        await self._or_end(self.hub.until_reported(key, value))

    async def _or_end(self, expected: Coroutine[Any, Any, Any]) -> None:
        waiting = asyncio.create_task(expected)
        await asyncio.wait({waiting, self.life}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()


KINDS: Mapping[str, Kind] = {
    "ingest": Kind(
        edge_ingest.__main__.wire,
        lambda folder: IngestEnvironment(state_dir=folder / "state", share_dir=folder / "share"),
        IngestSettings,
        {"receipts": RECEIPTS, "rejects": REJECTS, "kept": KEPT},
    ),
    "transform": Kind(
        edge_transform.__main__.wire,
        lambda folder: TransformEnvironment(
            state_dir=folder / "state", share_dir=folder / "share", tensor_dir=folder / "tensors"
        ),
        TransformSettings,
        {"items": ITEMS, "contract": CONTRACT, "receipts": RECEIPTS, "trials": TRIALS},
    ),
    "inference": Kind(
        edge_inference.__main__.wire,
        lambda folder: InferenceEnvironment(
            state_dir=folder / "state",
            tensor_dir=folder / "tensors",
            model_dir=folder / "models",
            allowed_registries=(),
            trust_policy="off",
        ),
        InferenceSettings,
        {"tensors": TENSORS, "trials": TRIAL_BATCHES},
    ),
    "upload": Kind(
        edge_upload.__main__.wire,
        lambda folder: UploadEnvironment(
            state_dir=folder / "state",
            tensor_dir=folder / "tensors",
            cloud_dir=folder / "cloud",
            iotedge_deviceid="edge",
        ),
        UploadSettings,
        {"records": PREDICTIONS, "inquiries": INQUIRIES, "hints": HINTS, "history": HISTORY},
    ),
}


def as_json(body: Body) -> Any:
    """A message's body as JSON values."""
    return json.loads(body.encode())
