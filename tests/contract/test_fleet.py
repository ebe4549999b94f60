"""What every fleet does: IoT Hub's twins by its service SDK, and the one in memory that rollouts are tested on."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import pytest
from azure.iot.device import IoTHubModuleClient
from azure.iot.hub.models import Twin, TwinProperties

from edge_mlops.errors import ChangedError, HubError
from edge_mlops.rollout.fleet import Fleet, Mark, ModuleTwin
from edge_mlops.rollout.hub import HubFleet
from support.fleet import SimulatedDevice, SimulatedFleet
from support.service import ServiceClients, service_clients
from support.simulator import SimulatorProcess, deployment, edge_environment, simulator

DEVICES = ("edge-1", "edge-2", "edge-3")
FIRST = {"name": "pets", "version": "1", "gate": {"bakeSeconds": 60, "p95Ratio": 3}}
SECOND = {"name": "pets", "version": "2", "gate": {"p95Ratio": 2}}


class World(Protocol):
    """Three devices, and what else happens to them."""

    @property
    def fleet(self) -> Fleet: ...

    def tag(self, device: str, tags: Mapping[str, Any]) -> None: ...

    def ask(self, device: str, model: Mapping[str, Any]) -> None:
        """Somebody else edits the desired property."""

    def report(self, device: str, model: Mapping[str, Any]) -> None:
        """Connect the module, and report."""


class Hub:
    """The simulator's hub, and one of its modules."""

    def __init__(self, edges: SimulatorProcess, service: ServiceClients, module: str) -> None:
        self._edges = edges
        self._service = service
        self._module = module
        self.clients: list[IoTHubModuleClient] = []
        connection_string = self._device(DEVICES[0]).run("connection-string").strip()
        self.fleet = HubFleet(connection_string, module, page=2)

    def tag(self, device: str, tags: Mapping[str, Any]) -> None:
        self._service.registry.update_twin(device, Twin(tags=dict(tags)))

    def ask(self, device: str, model: Mapping[str, Any]) -> None:
        twin = Twin(properties=TwinProperties(desired={"model": dict(model)}))
        self._service.registry.update_module_twin(device, self._module, twin)

    def report(self, device: str, model: Mapping[str, Any]) -> None:
        with edge_environment(self._device(device).credentials(self._module)):
            client = IoTHubModuleClient.create_from_edge_environment()
        self.clients.append(client)
        client.connect()
        client.patch_twin_reported_properties({"model": model})

    def _device(self, name: str) -> SimulatorProcess:
        return SimulatorProcess(self._edges.manifest, self._edges.state / name)


class Memory:
    """The one in memory."""

    def __init__(self) -> None:
        self.fleet = SimulatedFleet({name: SimulatedDevice(online=False) for name in DEVICES})

    def tag(self, device: str, tags: Mapping[str, Any]) -> None:
        self.fleet.members[device].tags = tags

    def ask(self, device: str, model: Mapping[str, Any]) -> None:
        self.fleet.ask(device, model)

    def report(self, device: str, model: Mapping[str, Any]) -> None:
        one = self.fleet.members[device]
        one.online, one.heard, one.reported = True, one.version, model


@pytest.fixture(scope="module")
def hubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Hub]]:
    """Hubs that nobody has used yet: each is about another module of the same devices."""
    folder, names = tmp_path_factory.mktemp("fleet"), [f"inference-{number}" for number in range(4)]
    arguments = ("--devices", str(len(DEVICES)), *(f"--module={name}" for name in names))
    with simulator(folder, deployment(routes={}), *arguments) as edges:
        first = SimulatorProcess(edges.manifest, edges.state / DEVICES[0])
        with service_clients(first, edges.state / "authority") as service:
            yield (Hub(edges, service, name) for name in names)


@pytest.fixture(params=["hub", "memory"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "memory":
        yield Memory()
        return
    hub = next(request.getfixturevalue("hubs"))
    yield hub
    for client in hub.clients:
        client.shutdown()


def twin_of(world: World, device: str = DEVICES[0]) -> ModuleTwin:
    twin = world.fleet.twin(device)
    assert twin is not None
    return twin


def told(world: World, rollout: str) -> list[str]:
    return sorted(twin.device for twin in world.fleet.told(rollout))


def test_devices_are_found_by_condition_and_twins_by_what_was_done_to_them(world: World) -> None:
    for number, device in enumerate(DEVICES):
        world.tag(device, {"ring": number})
    assert sorted(world.fleet.devices("tags.ring > 0")) == ["edge-2", "edge-3"]
    assert world.fleet.devices("tags.site = 'nowhere'") == []
    with pytest.raises(HubError):
        world.fleet.devices("tags.ring =")
    assert told(world, "one") == []
    for device in DEVICES:
        world.fleet.update(twin_of(world, device), FIRST, Mark("one", 0))
    assert told(world, "one") == [*DEVICES]
    world.fleet.update(twin_of(world), SECOND, Mark("two", 1, FIRST))
    assert (told(world, "one"), told(world, "two")) == (["edge-2", "edge-3"], ["edge-1"])


def test_model_and_mark_are_what_they_were_set_to_and_nothing_of_the_former_is_left(world: World) -> None:
    assert world.fleet.twin("nowhere") is None
    assert (twin_of(world).model, twin_of(world).mark, twin_of(world).reported) == (None, None, {})
    world.fleet.update(twin_of(world), FIRST, Mark("one", 0))
    world.fleet.update(twin_of(world), SECOND, Mark("two", 1, FIRST))
    assert (twin_of(world).model, twin_of(world).mark) == (SECOND, Mark("two", 1, FIRST))
    world.fleet.update(twin_of(world), None, Mark("three", 2, SECOND, undone=True))
    assert (twin_of(world).model, twin_of(world).mark) == (None, Mark("three", 2, SECOND, undone=True))


def test_a_twin_that_has_changed_is_left_as_it_is(world: World) -> None:
    before = twin_of(world)
    world.ask(DEVICES[0], SECOND)
    with pytest.raises(ChangedError):
        world.fleet.update(before, FIRST, Mark("one", 0))
    assert (twin_of(world).model, twin_of(world).mark) == (SECOND, None)


def test_what_a_module_reports_is_seen_by_query_and_does_not_outdate_the_twin(world: World) -> None:
    world.fleet.update(twin_of(world), FIRST, Mark("one", 0))
    before = twin_of(world)
    assert not before.connected
    world.report(DEVICES[0], {"state": "Active", "requestId": "one"})
    (seen,) = world.fleet.told("one")
    assert (seen.connected, seen.reported, seen.model) == (True, {"state": "Active", "requestId": "one"}, FIRST)
    world.fleet.update(before, SECOND, Mark("two", 0))
