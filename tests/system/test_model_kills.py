"""The inference module's process is killed with SIGKILL in each state of a swap; what serves is the last good model.

Each state is held by what holds it in life: a registry that stalls, a graph slow to load or to run, a long bake.
"""

import asyncio
import base64
import contextlib
import io
import json
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from edge_inference.layout import pack
from edge_inference.record import MOST_ATTEMPTS
from edge_inference.sources import describe
from edge_simulator.control.client import ControlClient
from edge_simulator.errors import SimulatorError
from support.graphs import slow_to_load, slow_to_run
from support.models import contract, graph, write_golden, write_model
from support.registry import RegistryServer
from support.signers import ROOT
from support.simulator import deployment, module, simulator
from support.stalls import SIZE, Halt, Referring, halted_after, published

pytestmark = pytest.mark.system

V1 = contract("v1")
HOURS = 7200.0
POLL_S = 0.05


def npy() -> dict[str, str]:
    file = io.BytesIO()
    np.save(file, np.ones((1, *V1.input.sample_shape), np.float32))
    return {"npy": base64.b64encode(file.getvalue()).decode()}


class Bench:
    """One inference module on a simulator, and the models that it may be told to use."""

    def __init__(self, folder: Path, control: ControlClient) -> None:
        self._folder = folder
        self._control = control

    def packed(self, version: str, model: onnx.ModelProto, **more: Any) -> dict[str, Any]:
        """A package in the layout; the desired property that names it."""
        files = write_model(self._folder / f"files-{version}", V1, model)
        ref = pack(files, self._folder / "models" / "library", "teller", version)
        return {"schema": 1, "name": "teller", "version": version, "ref": ref, "requestId": version, **more}

    def unpacked(
        self, version: str, model: onnx.ModelProto, *golden: float, off: float = 0, **more: Any
    ) -> dict[str, Any]:
        """A package as a folder: packing would have run it, and its golden examples where it has any."""
        files = write_model(self._folder / "models" / version, V1, model)
        if golden:
            write_golden(files, V1, *golden, off=off)
        ref = f"dir:{version}@{describe(files, 'teller', version).digest}"
        return {"schema": 1, "name": "teller", "version": version, "ref": ref, "requestId": version, **more}

    async def desire(self, wanted: Mapping[str, Any]) -> None:
        nothing = dict.fromkeys(("shadow", "gate", "swap"))
        await self._control.set_desired("inference", {"model": {**nothing, **wanted}})

    async def until(self, **expected: Any) -> Mapping[str, Any]:
        """Wait until the reported property is so; double underscores stand for dots."""
        while True:
            model = (await self._control.twin("inference"))["reported"].get("model") or {}
            if all(_dig(model, key.split("__")) == value for key, value in expected.items()):
                return dict(model)
            await asyncio.sleep(POLL_S)

    async def until_serves(self, version: str) -> None:
        """Wait until a prediction comes from a model."""
        while True:
            with contextlib.suppress(SimulatorError):  # it is not connected yet
                answer = await self._control.call("inference", "predict", npy(), 20)
                if answer["status"] == 200 and answer["payload"]["model"]["version"] == version:
                    return
            await asyncio.sleep(POLL_S)

    async def until_tried(self, digest: str, times: int) -> None:
        """Wait until it is on disk that a model is tried for the so manyeth time."""
        record = self._folder / "state" / "active.json"
        while not record.exists() or json.loads(record.read_bytes())["attempts"].get(digest) != times:
            await asyncio.sleep(POLL_S)

    async def kill(self, *, withdraw: bool = False) -> None:
        """Kill the process, and wait until another one is there; to that one the wish may be withdrawn."""
        killed = await self._process()
        assert killed is not None
        if withdraw:
            os.kill(killed, signal.SIGSTOP)
            await self._control.set_desired("inference", {"model": None})
        os.kill(killed, signal.SIGKILL)
        while await self._process() in {None, killed}:
            await asyncio.sleep(POLL_S)

    async def _process(self) -> int | None:
        [entry] = (await self._control.status())["modules"]
        return None if entry["pid"] is None else int(entry["pid"])


def _dig(value: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, Mapping) else None
    return value


@asynccontextmanager
async def empty_bench(folder: Path, **environment: str) -> AsyncIterator[Bench]:
    """A simulator with the module as a process; it has no model."""
    places = {name: folder / name for name in ("state", "tensors", "models")}
    for place in places.values():
        place.mkdir(parents=True)
    env = {
        "STATE_DIR": str(places["state"]),
        "TENSOR_DIR": str(places["tensors"]),
        "MODEL_DIR": str(places["models"]),
        "TRUST_POLICY": "off",
        "METRICS_PORT": "0",
        **environment,
    }
    settings = {name: {"value": text} for name, text in env.items()}
    manifest = deployment(routes={}, modules={"inference": module("edge-inference", env=settings)})
    with simulator(folder / "simulator", manifest, "--restart-backoff", "0.1") as running:
        async with ControlClient.connect(running.state) as control:
            yield Bench(folder, control)


@asynccontextmanager
async def bench(folder: Path, **environment: str) -> AsyncIterator[Bench]:
    """The same; its first model serves."""
    async with empty_bench(folder, **environment) as it:
        await it.desire(it.packed("1", graph()))
        await it.until(active__version="1", state="Active")
        yield it


def digest(wanted: Mapping[str, Any]) -> str:
    return str(wanted["ref"]).partition("@")[2]


def held(it: Bench, state: str) -> dict[str, Any]:
    """What is wanted of a model that stays in a state."""
    match state:
        case "Loading":
            return it.unpacked("2", slow_to_load(200))
        case "Warming":
            return it.unpacked("2", slow_to_run(for_zeros=True))
        case "Golden":
            return it.unpacked("2", slow_to_run(), 1.0)
        case "Shadow":
            return it.packed("2", graph(), shadow={"items": 10, "maxSeconds": HOURS})
        case _:
            return it.packed("2", graph(), gate={"bakeSeconds": HOURS})


@pytest.mark.parametrize("state", ["Loading", "Warming", "Golden", "Shadow", "Baking"])
async def test_a_kill_while_a_model_is_tried_counts_and_the_last_good_one_serves(tmp_path: Path, state: str) -> None:
    async with bench(tmp_path) as it:
        wanted = held(it, state)
        await it.desire(wanted)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            await it.until_tried(digest(wanted), attempt)
            await it.until(state=state, requestId="2")
            bakes = state == "Baking"  # and, still wanted, would serve again as soon as it can
            await it.kill(withdraw=bakes)
            if bakes:
                await it.until(active__version="1", state="Active")
            await it.until_serves("1")
            if bakes:
                await it.desire(wanted)
        model = await it.until(state="Failed", last__code="CRASH_LOOP")
        assert model["active"]["version"] == "1"
        await it.until_serves("1")
        assert [entry["code"] for entry in model["rejected"]] == ["CRASH_LOOP"]
        await it.desire(it.packed("3", graph()))
        await it.until(active__version="3", state="Active")


async def test_a_kill_while_nothing_is_under_way(tmp_path: Path) -> None:
    """Without a model, with one, and with one that was refused, which is not tried again."""
    async with empty_bench(tmp_path) as it:
        await it.until(state="Idle")
        await it.kill()
        await it.desire(it.packed("1", graph()))
        await it.until(active__version="1", state="Active")
        await it.kill()
        await it.until_serves("1")
        bad = it.unpacked("2", graph(), 1.0, off=1.0)
        await it.desire(bad)
        await it.until(state="Failed", last__code="GOLDEN_FAILED")
        await it.kill()
        await it.until_serves("1")
        refused = "rejected before; another requestId has it tried again"
        model = await it.until(state="Failed", last__code="GOLDEN_FAILED", last__detail=refused)
        assert model["active"]["version"] == "1"


async def test_a_kill_while_a_newer_wish_waits_for_its_turn(tmp_path: Path) -> None:
    async with bench(tmp_path) as it:
        await it.desire(it.unpacked("2", slow_to_run(for_zeros=True)))
        await it.until(state="Warming")
        await it.desire(it.packed("3", graph()))
        await it.until(state="Resolving", requestId="3")
        await it.kill()
        await it.until(active__version="3", state="Active")
        await it.until_serves("3")


async def test_a_kill_while_the_last_good_model_returns(tmp_path: Path) -> None:
    async with bench(tmp_path) as it:
        good = it.unpacked("2", slow_to_load(6))
        await it.desire(good)
        await it.until(active__version="2", state="Active")
        await it.desire(it.unpacked("3", graph(), 1.0, off=1.0, swap="resource"))
        model = await it.until(requestId="3", active=None, rejected__0__code="GOLDEN_FAILED")
        assert model["state"] in {"RollingBack", "Resolving", "Verifying", "Loading"}
        await it.until_tried(digest(good), 1)
        await it.kill()
        await it.until_serves("2")
        model = await it.until(state="Failed", last__code="GOLDEN_FAILED")
        assert model["active"]["version"] == "2"


@pytest.fixture
def remote(tmp_path: Path, registry_server: RegistryServer) -> Iterator[tuple[Referring, dict[str, Any]]]:
    with published(tmp_path / "remote", V1, registry_server) as (registry, wanted):
        yield registry, {**wanted, "requestId": "2"}


@asynccontextmanager
async def stalling(folder: Path, ref: str) -> AsyncIterator[Bench]:
    """A bench that may ask a registry, and that looks for signatures there."""
    roots, allowed = str(ROOT.pin(folder / "roots")), f"http://{ref.partition('/')[0]}"
    async with bench(folder, ALLOWED_REGISTRIES=allowed, TRUST_POLICY="audit", TRUST_ROOTS=roots) as it:
        yield it


async def test_a_kill_while_a_registry_stalls(tmp_path: Path, remote: tuple[Referring, dict[str, Any]]) -> None:
    registry, wanted = remote
    async with stalling(tmp_path, wanted["ref"]) as it:
        await it.desire(wanted)
        await it.until(state="Verifying", requestId="2")
        await asyncio.to_thread(registry.halt.reached.wait, 20)
        await it.kill()
        await it.until_serves("1")
        registry.halt.let.set()
        await it.until(active__version="2", state="Active")
        await it.until_serves("2")


async def test_a_kill_in_the_middle_of_a_download(tmp_path: Path, remote: tuple[Referring, dict[str, Any]]) -> None:
    """The next process goes on from where the one before it was, and is held there in turn until it was asked."""
    registry, wanted = remote
    halts = Halt(), Halt()
    registry.faults += (halted_after(SIZE // 2, halts[0]), halted_after(0, halts[1]))
    registry.halt.let.set()
    async with stalling(tmp_path, wanted["ref"]) as it:
        await it.desire(wanted)
        await it.until(state="Downloading", requestId="2")
        await asyncio.to_thread(halts[0].reached.wait, 20)
        [partial] = (tmp_path / "state").rglob("*.partial")
        while not partial.stat().st_size:
            await asyncio.sleep(POLL_S)
        await it.kill()
        come = partial.stat().st_size
        await it.until_serves("1")
        await asyncio.to_thread(halts[1].reached.wait, 20)
        for halt in halts:
            halt.let.set()
        await it.until(active__version="2", state="Active")
        await it.until_serves("2")
    assert [headers.get("Range") for headers in registry.seen] == [None, f"bytes={come}-"]
