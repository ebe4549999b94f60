import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_common.contract import Contract
from edge_common.fakes import FakeClock, FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import Item, Part, PredictionsMessage, Reject, RejectsMessage, TensorsMessage
from edge_common.metrics import Metrics
from edge_common.tensors import TensorWriter
from edge_common.twin import SettingsKeeper
from edge_inference.__main__ import wire
from edge_inference.layout import pack
from edge_inference.onnx_session import OnnxSession
from edge_inference.session import Opener
from edge_inference.settings import InferenceEnvironment, InferenceSettings
from support.models import contract, write_model


class Device:
    """The inference module between a fake hub and real folders, models and onnxruntime."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.writer = TensorWriter(folder / "tensors", 1 << 24)
        self.hub = FakeHub()
        self.clock = FakeClock()
        self.metrics = Metrics()
        self._numbers = itertools.count(1)
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    def start(self, open_session: Opener = OnnxSession) -> None:
        """Start the module; anew, as after a crash, where it was killed."""
        environment = InferenceEnvironment(
            state_dir=self.folder / "state", tensor_dir=self.folder / "tensors", model_dir=self.models
        )
        environment.state_dir.mkdir(exist_ok=True)
        self.hub = FakeHub(twin=self.hub.twin)
        self.metrics = Metrics()
        self._stop = asyncio.Event()
        wiring = wire(Surroundings(environment, self.hub, self.clock, self.metrics), open_session)
        keeper = SettingsKeeper(InferenceSettings, environment.state_dir / "settings.json", frozenset(wiring.sections))
        module = Module(wiring, keeper, self.hub, self.metrics, {"module": "inference"})
        self._life = asyncio.create_task(module.live(self._stop))

    async def stop(self) -> None:
        if self._life:
            self._stop.set()
            await self._life
            self._life = None

    def pack(self, made_by: Contract, name: str = "teller", version: str = "1") -> dict[str, Any]:
        """Pack a model; the desired property that names it."""
        files = write_model(self.folder / "files" / f"{name}-{version}", made_by)
        return {
            "schema": 1,
            "name": name,
            "version": version,
            "ref": pack(files, self.models / "library", name, version),
        }

    def desire(self, wanted: Any, **more: Any) -> None:
        self.hub.edit_twin({"model": {**wanted, **more}})

    async def swap_to(self, wanted: dict[str, Any]) -> None:
        self.desire(wanted)
        await self.hub.until_reported("model.active.digest", wanted["ref"].split("@")[1])

    def send(self, made_under: Contract, *samples: float, batch: str = "") -> TensorsMessage:
        """Put a batch in the store, one item a sample, and send it."""
        name = batch or f"batch{next(self._numbers)}"
        shape = made_under.input.sample_shape
        self.writer.write(name, np.stack([np.full(shape, sample, np.float32) for sample in samples]))
        return self.send_message(name, made_under.input.stamp, len(samples))

    def send_message(self, batch: str, stamp: str, items: int) -> TensorsMessage:
        """Send a batch that may or may not be in the store."""
        parts = tuple(Part(item=self.item(), first=row, rows=1) for row in range(items))
        message = TensorsMessage(batch=batch, stamp=stamp, parts=parts)
        self.hub.deliver("tensors", message.encode())
        return message

    def item(self) -> Item:
        return Item(
            id=f"{next(self._numbers):032x}",
            path="a.png",
            sha256="0" * 64,
            size=1,
            captured=datetime(2026, 1, 1, tzinfo=UTC),
            date=date(2026, 1, 1),
            attempt=1,
        )

    async def predictions(self, count: int = 1) -> list[PredictionsMessage]:
        return [PredictionsMessage.decode(sent.body) for sent in await self.hub.sent_to("predictions", count)]

    async def rejects(self, count: int = 1) -> Sequence[Reject]:
        sent = await self.hub.sent_to("rejects", count)
        return [verdict for each in sent for verdict in RejectsMessage.decode(each.body).rejects]

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"edge_inference_{name}", labels)


@pytest.fixture
async def device(tmp_path: Path) -> AsyncIterator[Device]:
    device = Device(tmp_path)
    device.start()
    yield device
    await device.stop()


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_model(tmp_path / "package", contract())
