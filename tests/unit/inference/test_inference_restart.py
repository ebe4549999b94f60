"""The process is killed while a swap is on its way: the last good model runs, and the wish is taken up again."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from edge_common.fakes import FakeClock, FakeHub
from edge_inference.measures import Measures
from edge_inference.onnx_session import OnnxSession
from edge_inference.reporter import Reporter
from edge_inference.session import Array, Session, Way
from edge_inference.status import PERCENT_S, SwapStatus
from edge_inference.swap import Progress
from support.inference import Device
from support.models import contract, write_golden, write_model
from support.registry import RegistryServer
from support.signers import ROOT
from support.stalls import SIZE, Halt, Referring, halted_after, published

V1, V2, V3 = contract("v1"), contract("v2", side=6), contract("v3", side=8)


class Halting:
    """Opens graphs; one version comes to a halt when it is opened (0), or in one of its runs (1, 2, …)."""

    def __init__(self) -> None:
        self.halt, self.version, self.at = Halt(), "", 0

    def __call__(self, path: Path, providers: Sequence[str]) -> Session:
        found = json.loads((path.parent.parent / "config.json").read_bytes())["descriptor"]["version"]
        if found != self.version:
            return OnnxSession(path, providers)
        if not self.at:
            self.halt.here()
        return HaltingSession(self, OnnxSession(path, providers))


class HaltingSession:
    def __init__(self, halting: Halting, session: OnnxSession) -> None:
        self._halting, self._session, self._runs = halting, session, 0
        self.providers, self.inputs, self.outputs = session.providers, session.inputs, session.outputs
        self.way = session.way

    def anew(self, way: Way) -> Session:
        return HaltingSession(self._halting, self._session.anew(way))

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        self._runs += 1
        if self._runs == self._halting.at:
            self._halting.halt.here()
        return self._session.run(feeds, outputs)


async def killed(device: Device, let_go: Callable[[], None]) -> Any:
    """What was wanted; the module is started anew and has not heard of it."""
    wanted = device.hub.twin.pop("model")
    await device.crash(let_go)
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["active"]["version"] == "1"
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"
    return wanted


async def taken_up(device: Device, wanted: Any) -> None:
    device.desire(wanted)
    await device.hub.until_reported("model.active.version", wanted["version"])
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["previous"]["version"] == "1"


@pytest.fixture
async def halting(device: Device) -> Halting:
    halting = Halting()
    await device.swap_to(device.pack(V1, version="1"))
    await device.restart(halting)
    await device.hub.until_reported("model.state", "Active")
    halting.version = "2"
    return halting


def packed_with_golden(device: Device) -> dict[str, Any]:
    write_golden(write_model(device.folder / "files" / "teller-2", V2), V2, 1, 2)
    return device.pack(V2, version="2")


async def test_killed_while_resolving(device: Device, halting: Halting) -> None:
    third = device.pack(V3, version="3")
    device.desire(device.pack(V2, version="2"))
    await asyncio.to_thread(halting.halt.reached.wait, 60)
    device.desire(third)
    await device.hub.until_reported("model.state", "Resolving")
    await taken_up(device, await killed(device, halting.halt.let.set))


@pytest.mark.parametrize(("state", "at"), [("Loading", 0), ("Warming", 1), ("Golden", 3)])
async def test_killed_while_it_is_loaded_and_proved(device: Device, halting: Halting, state: str, at: int) -> None:
    halting.at = at
    device.desire(packed_with_golden(device))
    await asyncio.to_thread(halting.halt.reached.wait, 60)
    await device.hub.until_reported("model.state", state)
    wanted = await killed(device, halting.halt.let.set)
    assert json.loads((device.state / "active.json").read_bytes())["attempts"] == {wanted["ref"].split("@")[1]: 1}
    await taken_up(device, wanted)


async def test_killed_while_in_shadow(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(contract("v1", top_k=1), version="2"), shadow={"items": 4, "maxSeconds": 60.0})
    await device.hub.until_reported("model.state", "Shadow")
    wanted = await killed(device, lambda: None)
    device.desire(wanted)
    await device.hub.until_reported("model.state", "Shadow")


async def test_killed_while_rolling_back(device: Device, halting: Halting) -> None:
    folder = write_model(device.models / "loose", V2)
    write_golden(folder, V2, 1, off=1)
    halting.version = "1"
    device.desire(device.loose(folder, "teller", "2"), swap="resource")
    await asyncio.to_thread(halting.halt.reached.wait, 60)
    assert device.hub.reported["model"]["rejected"][0]["code"] == "GOLDEN_FAILED"
    wanted = await killed(device, halting.halt.let.set)
    device.desire(wanted)
    await device.hub.until_reported("model.last.code", "GOLDEN_FAILED")
    assert device.hub.reported["model"]["active"]["version"] == "1"
    device.desire(device.pack(V3, version="3"))
    await device.hub.until_reported("model.active.version", "3")


@pytest.fixture
async def remote(
    device: Device, tmp_path: Path, registry_server: RegistryServer
) -> AsyncIterator[tuple[Referring, dict[str, Any]]]:
    """The device serves its first model, and may pull from a registry."""
    await device.swap_to(device.pack(V1, version="1"))
    with published(tmp_path, V2, registry_server) as (registry, wanted):
        await device.stop()
        device.registries = (f"http://{wanted['ref'].partition('/')[0]}",)
        device.trust = {"trust_policy": "audit", "trust_roots": ROOT.pin(tmp_path / "roots")}
        await device.start()
        await device.hub.until_reported("model.state", "Active")
        yield registry, wanted
        await device.stop()


async def test_killed_while_downloading(device: Device, remote: tuple[Referring, dict[str, Any]]) -> None:
    (registry, wanted), halt = remote, Halt()
    registry.faults.append(halted_after(SIZE // 2, halt))
    registry.halt.let.set()
    device.desire(wanted)
    await asyncio.to_thread(halt.reached.wait, 60)
    await device.hub.until_reported("model.state", "Downloading")
    while not 0 < device.hub.reported["model"]["candidate"]["percent"] < 100:
        await asyncio.sleep(0.01)
    await taken_up(device, await killed(device, halt.let.set))
    assert registry.seen[-1]["Range"].startswith("bytes=")


async def test_killed_while_verifying(device: Device, remote: tuple[Referring, dict[str, Any]]) -> None:
    registry, wanted = remote
    device.desire(wanted)
    await asyncio.to_thread(registry.halt.reached.wait, 60)
    await device.hub.until_reported("model.state", "Verifying")
    await taken_up(device, await killed(device, registry.halt.let.set))


def test_how_much_is_here_is_told_once_a_second_and_of_the_candidate_only() -> None:
    clock = FakeClock()
    status = SwapStatus(
        Reporter(FakeHub(), "model"), Measures(CollectorRegistry()), clock, Progress().fetching("sha256:a")
    )

    def told(digest: str, percent: int) -> int | None:
        status.come(digest, percent)
        return status.progress.candidate.percent if status.progress.candidate else None

    assert [told("sha256:a", percent) for percent in (0, 7, 9)] == [0, 7, 7]
    clock._seconds += PERCENT_S
    assert told("sha256:b", 50) == 7
    assert [told("sha256:a", percent) for percent in (10, 11)] == [10, 10]
