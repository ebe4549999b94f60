"""What the inference module's tests start, send and ask."""

import asyncio
import itertools
import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from edge_common.contract import Contract
from edge_common.fakes import FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import Frame, Item, Part, PredictionsMessage, Reject, RejectsMessage, TensorsMessage
from edge_common.metrics import Metrics
from edge_common.tensors import TensorWriter
from edge_common.twin import SettingsKeeper
from edge_inference.__main__ import wire
from edge_inference.drift.reference import Reference
from edge_inference.layout import pack
from edge_inference.onnx_session import OnnxSession
from edge_inference.session import Opener
from edge_inference.settings import InferenceEnvironment, InferenceSettings
from edge_inference.sources import describe
from edge_inference.tuning.trying import MakeBench
from support.benches import MoreIsBetter
from support.clocks import PatientClock
from support.models import write_model


class Device:
    """The inference module between a fake hub and real folders, models and onnxruntime."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.models = folder / "models"
        self.writer = TensorWriter(folder / "tensors", 1 << 24)
        self.state = folder / "state"
        self.registries: tuple[str, ...] = ()
        self.trust: dict[str, Any] = {"trust_policy": "off"}
        self.http: dict[str, Any] = {}
        self.bench: MakeBench = MoreIsBetter
        self.make_hub: Callable[..., FakeHub] = FakeHub
        self.hub = FakeHub()
        self.clock = PatientClock()
        self.metrics = Metrics()
        self._numbers = itertools.count(1)
        self._stop = asyncio.Event()
        self._life: asyncio.Task[None] | None = None

    async def start(self, open_session: Opener = OnnxSession) -> None:
        environment = InferenceEnvironment(
            state_dir=self.state,
            tensor_dir=self.folder / "tensors",
            model_dir=self.models,
            allowed_registries=self.registries,
            **self.trust,
            **self.http,
        )
        environment.state_dir.mkdir(exist_ok=True)
        self.hub = self.make_hub(twin=self.hub.twin)
        self.metrics = Metrics()
        self._stop = asyncio.Event()
        wiring = wire(Surroundings(environment, self.hub, self.clock, self.metrics), open_session, self.bench)
        keeper = SettingsKeeper(InferenceSettings, environment.state_dir / "settings.json", frozenset(wiring.sections))
        module = Module(wiring, keeper, self.hub, self.metrics, {"module": "inference"})
        self._life = asyncio.create_task(module.live(self._stop))
        await self.hub.until_reported("status.state", "running")

    async def stop(self) -> None:
        if self._life:
            self._stop.set()
            await self._life
            self._life = None

    async def restart(self, open_session: Opener = OnnxSession) -> None:
        await self.stop()
        await self.start(open_session)

    async def crash(self, let_go: Callable[[], None]) -> None:
        """Start anew from the disk as it is now, as after SIGKILL.

        Args:
            let_go: Called before the module that is given up is stopped.
        """
        left = self.folder / "left by a crash"
        shutil.copytree(self.state, left)
        let_go()
        await self.stop()
        self.state = left
        await self.start()

    def loose(self, folder: Path, name: str, version: str) -> dict[str, Any]:
        """The desired property that names an unpacked package in ``MODEL_DIR``."""
        digest = describe(folder, name, version).digest
        return {"schema": 1, "name": name, "version": version, "ref": f"dir:{folder.name}@{digest}"}

    def pack(
        self,
        made_by: Contract,
        name: str = "teller",
        version: str = "1",
        drift: Reference | None = None,
        model: onnx.ModelProto | None = None,
    ) -> dict[str, Any]:
        """Pack a model; the desired property that names it."""
        files = write_model(self.folder / "files" / f"{name}-{version}", made_by, model)
        if drift:
            (files / "drift.json").write_text(drift.model_dump_json())
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

    async def refuses(self, wanted: dict[str, Any], code: str, serving: Contract) -> None:
        """Ask for what is no good: it has its code, and version 1, which was made by a contract, is untouched."""
        self.desire(wanted, requestId=code)
        await self.hub.until_reported("model.last.code", code)
        model = self.hub.reported["model"]
        assert (model["state"], model["requestId"], model["active"]["version"]) == ("Failed", code, "1")
        assert self.metric("swaps_total", result=code) == 1
        assert json.loads((self.state / "active.json").read_bytes())["active"]["version"] == "1"
        self.send(serving, 1)
        assert (await self.predictions())[0].model.version == "1"

    def send(
        self, made_under: Contract, *samples: float, batch: str = "", frames: tuple[Frame, ...] = ()
    ) -> TensorsMessage:
        """Put a batch in the store, one item a sample, and send it."""
        name = batch or f"batch{next(self._numbers)}"
        shape = made_under.input.sample_shape
        self.writer.write(name, np.stack([np.full(shape, sample, np.float32) for sample in samples]))
        return self.send_message(name, made_under.input.stamp, len(samples), *frames)

    def send_message(self, batch: str, stamp: str, items: int, *frames: Frame) -> TensorsMessage:
        """Send a batch that may or may not be in the store."""
        parts = tuple(Part(item=self.item(), first=row, rows=1, frames=frames) for row in range(items))
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

    def metric(self, sample: str, /, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"edge_inference_{sample}", labels)
