"""Swaps models of 5 to 200 MB under a stream of batches, and measures what the stream notices.

Twelve swaps; the wanted model is changed as an operator does, and its package comes from an OCI image layout. The last
line is one JSON object: ``swaps``; ``dropped``, batches without a prediction; ``wrong_model``, answers that another
model gave than the batch was prepared for; ``p99_ratio``, the 99th percentile of the answers' latency during swaps,
over that between them; ``memory_growth_mb``, between the first and the last time that the first model served alone;
``other_cpus``, how many CPUs other processes kept busy meanwhile: where that is near the machine's number, both
percentiles are mostly waits for a CPU, and one run says little.

The tensor store is in memory, as on a device: a disk that takes in a model at the same time lets batches wait.
"""

import asyncio
import itertools
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
from onnx import TensorProto, helper

from edge_common.clock import SystemClock
from edge_common.contract import ClassificationOutput, Contract, ImageInput
from edge_common.fakes import FakeHub, Sent
from edge_common.lifecycle import Module, Surroundings
from edge_common.messages import Item, Part, PredictionsMessage, TensorsMessage
from edge_common.metrics import Metrics
from edge_common.tensors import TensorWriter
from edge_common.twin import SettingsKeeper
from edge_inference.__main__ import wire
from edge_inference.layout import pack
from edge_inference.settings import InferenceEnvironment, InferenceSettings

SIZES_MB: Final = (5, 50, 200)
SWAPS: Final = 12
STEADY_S: Final = 3.0
"""How long the stream runs between two swaps."""

INTERVAL_S: Final = 0.02
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made in it has a name of its own
ROWS: Final = 8
_SIDE: Final = 32
_WORK: Final = 512


def contract(name: str, side: int) -> Contract:
    """Models differ in their input, so that a batch tells which of them must answer it."""
    return Contract(
        input=ImageInput(width=side, height=side, channels="L", mean=(0.0,), scale=(1.0,), batch=ROWS),
        output=ClassificationOutput(labels=(name, "other")),
    )


def graph(side: int, megabytes: int) -> onnx.ModelProto:
    """The same work for every model, and so many megabytes of weights of which a run reads a few rows."""
    rows = megabytes * 1_000_000 // (4 * _WORK)
    generator = np.random.default_rng(megabytes)

    def weights(name: str, *shape: int) -> onnx.TensorProto:
        values = generator.standard_normal(shape, np.float32) / _WORK
        return helper.make_tensor(name, TensorProto.FLOAT, shape, values.tobytes(), raw=True)

    nodes = [
        helper.make_node("Flatten", ["input"], ["flat"]),
        helper.make_node("MatMul", ["flat", "first"], ["a0"]),
        *(helper.make_node("MatMul", [f"a{layer}", "middle"], [f"a{layer + 1}"]) for layer in range(12)),
        helper.make_node("ReduceMax", ["flat", "axis"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "index"], ["row"], axis=0),
        helper.make_node("Add", ["a12", "row"], ["sum"]),
        helper.make_node("MatMul", ["sum", "last"], ["scores"]),
        helper.make_node("Add", ["scores", "bias"], ["output"]),
    ]
    constants = [
        weights("first", side * side, _WORK),
        weights("middle", _WORK, _WORK),
        weights("last", _WORK, 2),
        weights("table", rows, _WORK),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
        helper.make_tensor("bias", TensorProto.FLOAT, [2], [1e6, -1e6]),
    ]
    taken = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", 1, side, side])
    given = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 2])
    body = helper.make_graph(nodes, "bench", [taken], [given], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


@dataclass(frozen=True)
class Model:
    """A packed model, and a batch for it."""

    name: str
    made_by: Contract
    wanted: dict[str, Any]
    samples: np.ndarray[Any, np.dtype[np.float32]]


def prepare(folder: Path) -> Sequence[Model]:
    """Models of all sizes in a layout."""
    return [_prepare(folder, size, _SIDE + number) for number, size in enumerate(SIZES_MB)]


def _prepare(folder: Path, megabytes: int, side: int) -> Model:
    name, files = f"mb{megabytes}", folder / f"files{megabytes}"
    made_by = contract(name, side)
    files.mkdir()
    (files / "model.onnx").write_bytes(graph(side, megabytes).SerializeToString())
    (files / "contract.json").write_text(made_by.model_dump_json(by_alias=True))
    wanted = {"schema": 1, "name": name, "version": "1", "ref": pack(files, folder / "models" / "layout", name, "1")}
    samples = np.ones((ROWS, *made_by.input.sample_shape), np.float32)
    return Model(name, made_by, wanted, samples)


@dataclass
class TimedHub(FakeHub):
    """Notes when each batch was answered."""

    answered: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def send(self, output: str, body: bytes, properties: Any = None) -> None:
        if output == "predictions":
            message = PredictionsMessage.decode(body)
            self.answered[message.batch] = time.monotonic(), str(message.parts[0].predictions[0]["label"])
        self.sent.clear()
        self.sent.append(Sent(output, body, dict(properties or {})))
        await self._notify()


@dataclass(frozen=True)
class Asked:
    """A batch that was sent."""

    model: str
    at: float
    during_swap: bool


class Stream:
    """Sends batches at a steady pace, prepared for the model that is active."""

    def __init__(self, hub: TimedHub, writer: TensorWriter) -> None:
        self._hub = hub
        self._writer = writer
        self.model: Model | None = None
        self.swapping = False
        self.asked: dict[str, Asked] = {}

    async def run(self) -> None:
        """Send for ever."""
        due = time.monotonic()
        for number in itertools.count():
            if self.model:
                self._send(f"batch{number}", self.model)
            due = max(due + INTERVAL_S, time.monotonic())
            await asyncio.sleep(due - time.monotonic())

    def _send(self, batch: str, model: Model) -> None:
        for old in self._writer.batches & self._hub.answered.keys():
            self._writer.remove(old)
        self._writer.write(batch, model.samples)
        parts = tuple(Part(item=_item(row), first=row, rows=1) for row in range(ROWS))
        self.asked[batch] = Asked(model.name, time.monotonic(), self.swapping)
        self._hub.deliver("tensors", TensorsMessage(batch=batch, stamp=model.made_by.input.stamp, parts=parts).encode())


def _item(number: int) -> Item:
    captured = datetime(2026, 1, 1, tzinfo=UTC)
    return Item(
        id=f"{number:032x}",
        path="a.png",
        sha256="0" * 64,
        size=1,
        captured=captured,
        date=date(2026, 1, 1),
        attempt=1,
    )


async def swap_to(hub: TimedHub, stream: Stream, model: Model) -> float:
    """Ask for a model and wait until it serves; resident memory in MB, once the one before it has gone."""
    stream.swapping = True
    hub.edit_twin({"model": model.wanted})
    await hub.until_reported("model.active.name", model.name)
    stream.model = model
    await hub.until_reported("model.state", "Active")
    stream.swapping = False
    await asyncio.sleep(STEADY_S)
    return resident_mb()


@dataclass(frozen=True)
class Busy:
    """CPU seconds at one time; what this process has started is its own."""

    at: float
    machine: float
    own: float

    @classmethod
    def now(cls) -> "Busy":
        user, nice, system, _, _, *interrupts = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:8]
        ticks = sum(map(int, (user, nice, system, *interrupts)))
        return cls(time.monotonic(), ticks / os.sysconf("SC_CLK_TCK"), sum(os.times()[:4]))

    def others_since(self, before: "Busy") -> float:
        """How many CPUs other processes kept busy."""
        return (self.machine - before.machine - self.own + before.own) / (self.at - before.at)


def resident_mb() -> float:
    """This process's."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(fields["VmRSS"].split()[0]) / 1000


async def measure(folder: Path, tensors: Path) -> dict[str, float]:
    """Run the module, the stream and the swaps."""
    models = prepare(folder)
    environment = InferenceEnvironment(
        state_dir=folder / "state", tensor_dir=tensors, model_dir=folder / "models", trust_policy="off"
    )
    environment.state_dir.mkdir()
    metrics, hub = Metrics(), TimedHub()
    hub.twin.update({"releaseSeconds": 0.5, "providers": ["CPUExecutionProvider"]})
    wiring = wire(Surroundings(environment, hub, SystemClock(), metrics))
    keeper = SettingsKeeper(InferenceSettings, environment.state_dir / "settings.json", frozenset(wiring.sections))
    stop, stream = asyncio.Event(), Stream(hub, TensorWriter(environment.tensor_dir, 1 << 28))
    life = asyncio.create_task(Module(wiring, keeper, hub, metrics, {"module": "inference"}).live(stop))
    sender = asyncio.create_task(stream.run())
    await hub.until_reported("status.state", "running")
    memory, before = [await swap_to(hub, stream, models[0])], Busy.now()
    for number in range(1, SWAPS + 1):
        memory.append(await swap_to(hub, stream, models[number % len(models)]))
        sys.stdout.write(f"swap {number}: {models[number % len(models)].name}, {memory[-1]:.0f} MB resident\n")
    others = Busy.now().others_since(before)
    sender.cancel()
    await asyncio.sleep(1)
    stop.set()
    await life
    return {**summarize(stream.asked, hub.answered, memory), "other_cpus": round(others, 2)}


def summarize(
    asked: dict[str, Asked], answered: dict[str, tuple[float, str]], memory: Sequence[float]
) -> dict[str, float]:
    """What the stream noticed."""
    latencies: dict[bool, list[float]] = {True: [], False: []}
    for batch, (at, _) in answered.items():
        latencies[asked[batch].during_swap].append(at - asked[batch].at)
    steady, swapping = (float(np.percentile(latencies[during], 99)) for during in (False, True))
    for name, values in (("between swaps", latencies[False]), ("during swaps", latencies[True])):
        half, most = np.percentile(values, (50, 99)) * 1e3
        sys.stdout.write(f"{name}: {len(values)} batches, p50 {half:.1f} ms, p99 {most:.1f} ms\n")
    return {
        "swaps": SWAPS,
        "dropped": len(asked.keys() - answered.keys()),
        "wrong_model": sum(label != asked[batch].model for batch, (_, label) in answered.items()),
        "p99_ratio": round(swapping / steady, 2),
        "memory_growth_mb": round(memory[-1] - memory[len(SIZES_MB)], 1),
    }


def main() -> None:
    """Measure in a temporary folder."""
    logging.disable(logging.WARNING)
    memory = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory(dir=memory) as tensors:
        sys.stdout.write(json.dumps(asyncio.run(measure(Path(folder), Path(tensors)))) + "\n")


if __name__ == "__main__":
    main()
