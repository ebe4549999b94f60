"""Rolling out, rolling back and looking on, by the commands of the Makefile, on the simulator's service API."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import Twin, TwinProperties

from deploy.errors import DeployError
from deploy.hub import Hub
from deploy.release import Release
from deploy.rollout import Rollout
from deploy.scope import Scope
from support.service import ServiceClients, service_clients
from support.simulator import SimulatorProcess, deployment, edge_environment, module, simulator

ROOT = Path(__file__).parents[2]
SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")
LAB = "tags.site = 'lab'"
ROUTE = "FROM /messages/modules/inference/* INTO $upstream"
FIRST = {"inference": {"requireGpu": False, "model": {"name": "template"}}, "upload": {"shardSeconds": 60}}
SECOND = {"inference": {"requireGpu": True, "callers": 2}, "upload": {"shardSeconds": 5}}


def manifest(folder: Path, twins: Mapping[str, Any], rate: int) -> Path:
    """Write a release: its modules differ by their environment, its routes by their names."""
    modules = {name: module(*SLEEPER, env={"RATE": {"value": rate}}) for name in ("inference", "upload")}
    content = deployment(routes={f"route{rate}": ROUTE}, modules=modules, twins=twins)
    systems = {name: {"type": "docker", "settings": {"image": f"test/{name}:1.6"}} for name in ("edgeAgent", "edgeHub")}
    content["modulesContent"]["$edgeAgent"]["properties.desired"]["systemModules"] = systems
    path = folder / f"release{rate}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


class Operator:
    """Somebody at a terminal, with the hub's connection string in the environment."""

    def __init__(self, edge: SimulatorProcess, service: ServiceClients, authority: Path) -> None:
        self._environment = {
            **os.environ,
            "IOTHUB_CONNECTION_STRING": edge.run("connection-string").strip(),
            "REQUESTS_CA_BUNDLE": str(authority / "ca.pem"),
        }
        self.registry = service.registry
        self._configurations = service.configurations

    def configurations(self) -> list[str]:
        return sorted(one.id for one in self._configurations.get_configurations())

    def attempt(self, *arguments: str, **where: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "deploy", *arguments]
        environment = self._environment | where
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)

    def run(self, *arguments: str, **where: str) -> str:
        done = self.attempt(*arguments, **where)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def desired(self, device: str, module_name: str) -> dict[str, Any]:
        desired: dict[str, Any] = self.registry.get_module_twin(device, module_name).properties.desired
        return {name: value for name, value in desired.items() if name not in ("$version", "$metadata")}

    def choose_model(self, device: str, name: str) -> dict[str, Any]:
        model = {"name": name, "version": "1.0.0"}
        twin = Twin(properties=TwinProperties(desired={"model": None}))
        self.registry.update_module_twin(device, "inference", twin)
        twin = Twin(properties=TwinProperties(desired={"model": model}))
        self.registry.update_module_twin(device, "inference", twin)
        return model

    def rates(self, device: str) -> dict[str, Any]:
        modules = self.desired(device, "$edgeAgent")["modules"]
        return {name: entry["env"]["RATE"]["value"] for name, entry in modules.items()}


@pytest.fixture
def one(tmp_path: Path) -> Iterator[tuple[Operator, SimulatorProcess]]:
    with simulator(tmp_path, deployment(routes={}), "--module", "camera") as edge, service_clients(edge) as clients:
        yield Operator(edge, clients, edge.state / "authority"), edge


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Operator]:
    first = json.loads(manifest(tmp_path, FIRST, 1).read_text(encoding="utf-8"))
    with simulator(tmp_path, first, "--devices", "3") as edges:
        edge, authority = SimulatorProcess(edges.manifest, edges.state / "edge-1"), edges.state / "authority"
        with service_clients(edge, authority) as clients:
            for number in (1, 2):
                clients.registry.update_twin(f"edge-{number}", Twin(tags={"site": "lab"}))
            yield Operator(edge, clients, authority)


def test_one_device_keeps_its_model_through_deploying_and_rolling_back(
    tmp_path: Path, one: tuple[Operator, SimulatorProcess]
) -> None:
    operator, _ = one
    operator.run("apply", str(manifest(tmp_path, FIRST, 1)), DEVICE="edge")
    assert operator.desired("edge", "inference") == FIRST["inference"]
    model = operator.choose_model("edge", "pets")
    operator.run("apply", str(manifest(tmp_path, SECOND, 2)), DEVICE="edge")
    assert operator.desired("edge", "inference") == {"requireGpu": True, "callers": 2, "model": model}
    assert operator.rates("edge") == {"inference": 2, "upload": 2}
    operator.run("rollback", DEVICE="edge")
    assert operator.desired("edge", "inference") == {"requireGpu": False, "model": model}
    assert operator.desired("edge", "upload") == {"shardSeconds": 60}
    assert operator.rates("edge") == {"inference": 1, "upload": 1}
    assert operator.desired("edge", "$edgeHub")["routes"] == {"route1": ROUTE}


def test_devices_of_a_fleet_keep_their_models_and_others_are_left_alone(tmp_path: Path, fleet: Operator) -> None:
    models = {device: fleet.choose_model(device, f"model-of-{device}") for device in ("edge-1", "edge-2", "edge-3")}
    fleet.run("apply", str(manifest(tmp_path, FIRST, 1)), CONDITION=LAB)
    fleet.run("apply", str(manifest(tmp_path, SECOND, 2)), CONDITION=LAB)
    for device in ("edge-1", "edge-2"):
        assert fleet.desired(device, "inference") == {"requireGpu": True, "callers": 2, "model": models[device]}
        assert fleet.rates(device) == {"inference": 2, "upload": 2}
        assert fleet.desired(device, "$edgeHub")["routes"] == {"route2": ROUTE}
    assert fleet.rates("edge-3") == {"inference": 1, "upload": 1}
    fleet.run("rollback", CONDITION=LAB)
    kinds = [name.split("-")[3] for name in fleet.configurations()]
    assert kinds == ["modules", "release", "release", "system"]
    for device in ("edge-1", "edge-2", "edge-3"):
        assert fleet.desired(device, "inference") == {"requireGpu": False, "model": models[device]}
        assert fleet.rates(device) == {"inference": 1, "upload": 1}
        assert fleet.desired(device, "$edgeHub")["routes"] == {"route1": ROUTE}


def test_who_joins_a_fleet_gets_the_modules_at_once_and_the_settings_with_the_next_deploy(
    tmp_path: Path, fleet: Operator
) -> None:
    second = str(manifest(tmp_path, SECOND, 2))
    fleet.run("apply", second, CONDITION=LAB)
    fleet.registry.update_twin("edge-3", Twin(tags={"site": "lab"}))
    told = fleet.run("apply", second, CONDITION=LAB)
    assert "edge-3: upload is told shardSeconds" in told
    assert "edge-1" not in told
    while fleet.rates("edge-3") != {"inference": 2, "upload": 2}:
        pass  # a hub looks whom a configuration is for every so often


class Breaking(Hub):
    """A hub that is out of reach when a device is to be given something."""

    def apply(self, device: str, sections: Mapping[str, Any]) -> None:
        raise DeployError(f"no way to {device} with {len(sections)} sections")


def test_what_was_interrupted_is_finished_by_deploying_again_and_undone_by_rolling_back(
    tmp_path: Path, one: tuple[Operator, SimulatorProcess]
) -> None:
    operator, edge = one
    first, second = (manifest(tmp_path, twins, rate) for rate, twins in ((1, FIRST), (2, SECOND)))
    operator.run("apply", str(first), DEVICE="edge")
    hub = Breaking(edge.run("connection-string").strip())
    for command, rate in (("apply", 2), ("rollback", 1)):
        with pytest.raises(DeployError, match="no way to edge"):
            list(Rollout(hub, Scope("edge")).deploy(Release.read(second)))
        operator.run(command, *([str(second)] if command == "apply" else []), DEVICE="edge")
        assert operator.rates("edge") == {"inference": rate, "upload": rate}


def test_rolling_back_twice_returns_and_what_is_older_is_forgotten(
    tmp_path: Path, one: tuple[Operator, SimulatorProcess]
) -> None:
    operator, _ = one
    for rate in (1, 2, 3):
        operator.run("apply", str(manifest(tmp_path, FIRST, rate)), DEVICE="edge")
    rates = []
    for _ in range(3):
        operator.run("rollback", DEVICE="edge")
        rates.append(operator.rates("edge")["inference"])
    assert rates == [2, 3, 2]
    assert len(operator.configurations()) == 2


def test_with_nothing_before_it_a_release_is_not_rolled_back(
    tmp_path: Path, one: tuple[Operator, SimulatorProcess]
) -> None:
    operator, _ = one
    operator.run("apply", str(manifest(tmp_path, FIRST, 1)), DEVICE="edge")
    refused = operator.attempt("rollback", DEVICE="edge")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "no release before the present one is recorded for device edge" in refused.stderr


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ({"DEVICE": "nowhere"}, "404"),
        ({"CONDITION": "tags.site ="}, "400"),
        ({}, "say where to"),
        ({"DEVICE": "edge", "CONDITION": LAB}, "contradict"),
        ({"DEVICE": "edge", "IOTHUB_CONNECTION_STRING": ""}, "no connection string"),
        ({"DEVICE": "edge", "IOTHUB_CONNECTION_STRING": "HostName=127.0.0.1:9;SharedAccessKey=c2VjcmV0"}, "IoT Hub"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_without_the_secret(
    tmp_path: Path, one: tuple[Operator, SimulatorProcess], where: dict[str, str], reason: str
) -> None:
    operator, edge = one
    refused = operator.attempt("apply", str(manifest(tmp_path, FIRST, 1)), **where)
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr
    assert operator.configurations() == []
    key = edge.run("connection-string").strip().rpartition("SharedAccessKey=")[2]
    assert not [secret for secret in (key, "c2VjcmV0") if secret in refused.stdout + refused.stderr]


async def test_status_shows_what_modules_report(one: tuple[Operator, SimulatorProcess]) -> None:
    operator, edge = one
    with edge_environment(edge.credentials("camera")):
        client = IoTHubModuleClient.create_from_edge_environment()
    await client.connect()
    error = {"path": "rate", "message": "Input should be a valid integer"}
    model = {"state": "Active", "active": {"name": "pets", "version": "1.0.0"}, "last": {"result": "succeeded"}}
    config = {"status": "refused", "version": 2, "errors": [error]}
    reported = {"status": {"state": "running", "version": "0.1.0"}, "model": model, "config": config}
    await client.patch_twin_reported_properties(reported)
    await client.shutdown()
    found = {one["module"]: one for one in json.loads(operator.run("status", "--json"))}
    assert found.keys() == {"$edgeAgent", "$edgeHub", "camera"}
    assert found["$edgeAgent"]["status"] == "running"
    camera = found["camera"]
    assert (camera["device"], camera["version"], camera["model"]) == ("edge", "0.1.0", "pets 1.0.0, Active")
    assert camera["errors"] == ["rate: Input should be a valid integer"]
    table = operator.run("status", DEVICE="edge", COLUMNS="160")
    assert all(word in table for word in ("edge", "camera", "0.1.0", "pets 1.0.0", "rate: Input should be"))
