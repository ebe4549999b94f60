"""``edge-mlops rollout`` on the simulator's service API: real inference modules, and a fleet of their likes."""

import asyncio
import itertools
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import Twin
from click.testing import CliRunner

from edge_inference.layout import pack
from edge_inference.sources import describe
from edge_mlops.cli import main
from support.models import contract, graph, write_golden, write_model
from support.service import ServiceClients, service_clients
from support.simulator import SimulatorProcess, deployment, edge_environment, module, simulator

pytestmark = pytest.mark.system

COMMAND = Path(sys.executable).with_name("edge-mlops")
CANARIES, LAST = ("edge-1", "edge-2"), "edge-15"
REF = f"oci:library@sha256:{'2' * 64}"


class Operator:
    """Somebody at a terminal, with the hub's connection string in the environment."""

    def __init__(self, edges: SimulatorProcess, service: ServiceClients, folder: Path) -> None:
        self._environment = {
            "IOTHUB_CONNECTION_STRING": device_of(edges, "edge-1").run("connection-string").strip(),
            "REQUESTS_CA_BUNDLE": str(edges.state / "authority" / "ca.pem"),
        }
        self._service = service
        self._folder = folder
        self._numbers = itertools.count()

    def tag(self, rings: Mapping[str, int]) -> None:
        for device, ring in rings.items():
            self._service.registry.update_twin(device, Twin(tags={"ring": ring}))

    def plan(self, *waves: str, **more: Any) -> Path:
        path = self._folder / f"plan-{next(self._numbers)}.json"
        path.write_text(json.dumps({"waves": waves, **more}))
        return path

    def start(self, *arguments: str | Path) -> "subprocess.Popen[str]":
        environment = os.environ | self._environment
        return subprocess.Popen([COMMAND, *arguments], stdout=subprocess.PIPE, text=True, env=environment)

    def run(self, *arguments: str | Path) -> tuple[int, str, str]:
        """The same within this process, which saves the time to import all of it again."""
        result = CliRunner().invoke(main, [*map(str, arguments)], env=self._environment)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.stdout, result.stderr

    def model(self, device: str) -> dict[str, Any]:
        """What a device reports of its model."""
        reported: dict[str, Any] = self._service.registry.get_module_twin(device, "inference").properties.reported
        return dict(reported["model"])

    def desired(self, device: str) -> Mapping[str, Any] | None:
        desired: dict[str, Any] = self._service.registry.get_module_twin(device, "inference").properties.desired
        return desired.get("model")


def device_of(edges: SimulatorProcess, name: str) -> SimulatorProcess:
    return SimulatorProcess(edges.manifest, edges.state / name)


@contextmanager
def operator(folder: Path, manifest: Mapping[str, Any], *arguments: str) -> Iterator[tuple[Operator, SimulatorProcess]]:
    with (
        simulator(folder, manifest, *arguments) as edges,
        service_clients(device_of(edges, "edge-1"), edges.state / "authority") as service,
    ):
        yield Operator(edges, service, folder), edges


# --- real inference modules -------------------------------------------------------------------------------------------


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


@pytest.fixture
def real(tmp_path: Path, models: Path) -> Iterator[Operator]:
    """Three devices that run the inference module, the first of them a canary."""
    binds = ("state:/data/state", "tensors:/tensors")
    env = {
        "STATE_DIR": "/data/state",
        "TENSOR_DIR": "/tensors",
        "MODEL_DIR": str(models),
        "TRUST_POLICY": "off",
        "METRICS_PORT": "0",
    }
    entry = module(
        "edge-inference",
        env={name: {"value": text} for name, text in env.items()},
        create_options={"HostConfig": {"Binds": binds}},
    )
    with operator(tmp_path, deployment(routes={}, modules={"inference": entry}), "--devices", "3") as (somebody, _):
        somebody.tag({"edge-1": 0, "edge-2": 1, "edge-3": 1})
        yield somebody


def packed(models: Path, version: str) -> str:
    files = write_model(models.with_name(f"files-{version}"), contract(), graph())
    return pack(files, models / "library", "teller", version)


def bad(models: Path, version: str) -> str:
    """A package that does not give its own examples, as packing would have found out."""
    files = write_model(models / version, contract(), graph())
    write_golden(files, contract(), 1.0, off=1.0)
    return f"dir:{version}@{describe(files, 'teller', version).digest}"


@pytest.mark.timeout(600)
def test_a_good_model_goes_through_both_waves_and_a_bad_one_not_past_the_canary(real: Operator, models: Path) -> None:
    devices = ("edge-1", "edge-2", "edge-3")
    for command, reason in {
        ("rollout", "teller:1", REF, real.plan("tags.ring = 9")): "no device meets 'tags.ring = 9'",
        ("rollout", "teller:1", REF, real.plan("tags.ring =")): "IoT Hub answered 400",
        ("rollback", "teller-1"): "no device bears the mark of rollout teller-1",
    }.items():
        status, out, err = real.run(*command)
        assert (status, out, reason in err) == (1, "", True), err
    plan = real.plan("tags.ring = 0", "tags.ring = 1", model={"gate": {"bakeSeconds": 1}})
    for version in ("1", "2"):
        status, out, err = real.run("rollout", f"teller:{version}", packed(models, version), plan)
        assert (status, err) == (0, ""), out
        assert out.index("edge-1: active") < out.index("wave 2: tags.ring = 1") < out.index("edge-2: told")
        assert [real.model(device)["active"]["version"] for device in devices] == [version] * 3
        assert [real.model(device)["state"] for device in devices] == ["Active"] * 3
    asked = [real.desired(device) for device in devices]
    status, out, err = real.run("rollout", "teller:3", bad(models, "3"), plan, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    (failed,) = (event for event in events if event.get("what") == "failed")
    assert (status, failed["device"], failed["detail"].partition(":")[0]) == (1, "edge-1", "GOLDEN_FAILED")
    assert "1 device of wave 1 failed" in err
    assert (events[-1]["ok"], events[-1]["waves"][0]["returned"]) == (False, 1)
    assert real.model("edge-1")["active"]["version"] == "2"
    assert real.desired("edge-1") == {**(asked[0] or {}), "allowDowngrade": True}
    assert [real.desired(device) for device in devices[1:]] == asked[1:]
    name = str(asked[1] and asked[1]["requestId"])
    status, out, err = real.run("rollback", name)
    assert (status, err) == (0, "")
    assert [real.model(device)["active"]["version"] for device in devices] == ["2", "1", "1"]


# --- their likes ------------------------------------------------------------------------------------------------------


class Answering:
    """A module that reports of models as inference does, and refuses what it is told to."""

    def __init__(self, client: IoTHubModuleClient, refused: Sequence[str], let: asyncio.Event) -> None:
        self._client = client
        self._refused = refused
        self._let = let
        self._active: Mapping[str, Any] = {}
        self._edited = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._client.on_twin_desired_properties_patch_received = lambda _: loop.call_soon_threadsafe(self._edited.set)
        while True:
            self._edited.clear()
            desired = (await self._client.get_twin())["desired"]
            if "model" in desired:
                await self._let.wait()
            await self._client.patch_twin_reported_properties({"model": self._answer(desired)})
            await self._edited.wait()

    def _answer(self, desired: Mapping[str, Any]) -> dict[str, Any]:
        model = desired.get("model") or {}
        is_refused = model.get("version") in self._refused
        self._active = self._active if is_refused else {"digest": model.get("ref", "").partition("@")[2]}
        return {
            "ackVersion": desired["$version"],
            "requestId": model.get("requestId"),
            "state": "Failed" if is_refused else "Active",
            "active": self._active,
            "last": {"code": "LATENCY" if is_refused else None},
        }


@asynccontextmanager
async def answering(
    edges: SimulatorProcess, refused: Mapping[str, Sequence[str]], let: asyncio.Event
) -> AsyncIterator[None]:
    """Connect the modules of these devices; they answer of no model until they are let, but for the canaries."""
    at_once = asyncio.Event()
    at_once.set()
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        running = []
        for device, versions in refused.items():
            with edge_environment({**os.environ, **device_of(edges, device).credentials("inference")}):
                client = IoTHubModuleClient.create_from_edge_environment()
            await client.connect()
            stack.push_async_callback(client.shutdown)
            module = Answering(client, versions, at_once if device in CANARIES else let)
            running.append(tasks.create_task(module.run()))
        yield
        for task in running:
            task.cancel()


@pytest.mark.timeout(600)
async def test_a_rollout_to_tens_of_devices_that_is_killed_goes_on_and_is_undone_by_one_that_refuses(
    tmp_path: Path,
) -> None:
    rings = {f"edge-{number}": (number > 2) + (number > 6) for number in range(1, 16)}
    arguments = ("--devices", str(len(rings)), "--module", "inference")
    with operator(tmp_path, deployment(routes={}), *arguments) as (somebody, edges):
        await asyncio.to_thread(somebody.tag, rings)
        refused = {device: ["2"] if device == LAST else [] for device in rings if device != "edge-14"}
        let = asyncio.Event()
        async with answering(edges, refused, let):
            command = ("rollout", "pets:2", REF, somebody.plan(*(f"tags.ring = {ring}" for ring in range(3))))
            await asyncio.to_thread(_kill, somebody.start(*command), "edge-5: told")
            let.set()
            await asyncio.to_thread(_check, somebody, rings, command)


def _kill(process: "subprocess.Popen[str]", at: str) -> None:
    with process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith(at):
            pass
        process.kill()


def _check(somebody: Operator, rings: Mapping[str, int], command: Sequence[str | Path]) -> None:
    status, out, err = somebody.run(*command, "--json")
    events = [json.loads(line) for line in out.splitlines()]
    told = [event["device"] for event in events if event.get("what") == "told"]
    assert not {"edge-1", "edge-2", "edge-5"} & {*told}
    assert {*told} >= {device for device, ring in rings.items() if ring == 2}
    assert (status, [event["device"] for event in events if event.get("what") == "failed"]) == (1, [LAST])
    assert "1 device of wave 3 failed" in err
    counts = [{name: wave[name] for name in wave if name != "condition"} for wave in events[-1]["waves"]]
    assert counts == [{"returned": 2}, {"returned": 4}, {"returned": 8, "offline": 1}]
    assert [device for device in rings if somebody.desired(device) is not None] == []
    status, _, err = somebody.run(*command)
    assert (status, "it was rolled back before" in err) == (1, True)
