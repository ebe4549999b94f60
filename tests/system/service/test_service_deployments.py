"""A new manifest taken up by a running device: modules, routes and twins."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import Message
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import ConfigurationContent
from msrest.exceptions import HttpOperationError

from support.service import ServiceClients
from support.simulator import SimulatorProcess, deployment, module

POLL_S = 0.05
SLEEPER = (sys.executable, "-c", "import signal; signal.pause()")
TO_VIEWER = 'FROM /messages/modules/camera/* INTO BrokeredEndpoint("/modules/viewer/inputs/in")'


def _content(**parts: Any) -> dict[str, Any]:
    sections: dict[str, Any] = deployment(**{"routes": {}, **parts})["modulesContent"]
    return sections


def _apply(service: ServiceClients, sections: dict[str, Any]) -> None:
    service.configurations.apply_configuration_on_edge_device("edge", ConfigurationContent(modules_content=sections))


def _processes(edge: SimulatorProcess) -> dict[str, tuple[str, int | None]]:
    modules = json.loads(edge.run("status", "--json"))["modules"]
    return {one["name"]: (one["status"], one.get("pid")) for one in modules if one["status"] != "external"}


def _is_alive(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


async def _until(true: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(true):
        await asyncio.sleep(POLL_S)


def _status(edge: SimulatorProcess, name: str) -> str | None:
    return _processes(edge).get(name, (None, None))[0]


async def test_modules_are_added_changed_stopped_and_removed(edge: SimulatorProcess, service: ServiceClients) -> None:
    _apply(service, _content(modules={"a": module(*SLEEPER), "b": module(*SLEEPER)}))
    await _until(lambda: [_status(edge, name) for name in "ab"] == ["running", "running"])
    before = _processes(edge)
    _apply(service, _content(modules={"a": module(*SLEEPER), "b": module(*SLEEPER, env={"X": {"value": "1"}})}))
    await _until(lambda: _status(edge, "b") == "running" and _processes(edge)["b"] != before["b"])
    assert _processes(edge)["a"] == before["a"]
    _apply(service, _content(modules={"a": module(*SLEEPER, status="stopped")}))
    await _until(lambda: _processes(edge) == {"a": ("stopped", None)})
    assert not _is_alive(before["a"][1])
    assert [one.module_id for one in service.registry.get_modules("edge")] == [
        "$edgeAgent",
        "$edgeHub",
        "a",
        "camera",
        "viewer",
    ]


async def test_a_deployment_outlives_a_restart(edge: SimulatorProcess, service: ServiceClients) -> None:
    twin = {"a": {"rate": 5}}
    _apply(service, _content(modules={"a": module(*SLEEPER)}, twins=twin))
    edge.kill()
    edge.start()
    await _until(lambda: _status(edge, "a") == "running")
    assert json.loads(edge.run("twin", "get", "a"))["desired"]["rate"] == 5


async def test_edge_agent_reports_how_it_went(edge: SimulatorProcess, service: ServiceClients) -> None:
    _apply(service, _content(modules={"a": module(*SLEEPER)}))

    def reported() -> dict[str, Any]:
        twin: dict[str, Any] = service.registry.get_module_twin("edge", "$edgeAgent").properties.reported
        return twin

    await _until(lambda: reported()["modules"].get("a", {}).get("runtimeStatus") == "running")
    assert reported()["lastDesiredStatus"]["code"] == 200
    broken = module(*SLEEPER, restartPolicy="sometimes")
    _apply(service, _content(modules={"a": broken}))
    assert reported()["lastDesiredStatus"]["code"] == 400
    assert "modules.a" in reported()["lastDesiredStatus"]["description"]
    assert _status(edge, "a") == "running"


async def _assert_it_leads(camera: IoTHubModuleClient, viewer: IoTHubModuleClient) -> None:
    """Assert that a message of `camera` comes to `viewer`."""
    arrived: asyncio.Queue[Any] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    viewer.on_message_received = lambda message: loop.call_soon_threadsafe(arrived.put_nowait, message)
    await viewer.get_twin()
    await camera.send_message_to_output(Message(b"through"), "out")
    assert (await arrived.get()).data == b"through"


async def test_routes_are_swapped(
    service: ServiceClients, camera: IoTHubModuleClient, viewer: IoTHubModuleClient
) -> None:
    await asyncio.to_thread(_apply, service, _content(routes={"here": TO_VIEWER}))
    await _assert_it_leads(camera, viewer)


@pytest.mark.parametrize(
    ("route", "code", "description"),
    [
        ("FROM nowhere", 400, "Error while parsing desired properties - Error parsing route here - "),
        ("FROM /* WHERE temp > 50 INTO $upstream", 200, ""),
    ],
)
async def test_bad_routes_leave_those_before_in_force(
    service: ServiceClients,
    camera: IoTHubModuleClient,
    viewer: IoTHubModuleClient,
    route: str,
    code: int,
    description: str,
) -> None:
    await asyncio.to_thread(_apply, service, _content(routes={"here": TO_VIEWER}))
    await asyncio.to_thread(_apply, service, _content(routes={"here": route}))
    twin = await asyncio.to_thread(service.registry.get_module_twin, "edge", "$edgeHub")
    assert twin.properties.reported["lastDesiredStatus"]["code"] == code
    assert twin.properties.reported["lastDesiredStatus"]["description"].startswith(description)
    assert twin.properties.reported["lastDesiredVersion"] == twin.properties.desired["$version"]
    await _assert_it_leads(camera, viewer)


async def test_a_section_replaces_a_twin_and_dotted_names_patch_it(
    edge: SimulatorProcess, service: ServiceClients
) -> None:
    def desired() -> Any:
        return service.registry.get_module_twin("edge", "camera").properties.desired

    _apply(service, {"camera": {"properties.desired": {"size": {"x": 1, "y": 2}}}})
    assert desired() == {"size": {"x": 1, "y": 2}, "$version": 2}
    _apply(service, {"camera": {"properties.desired.size.x": 7, "properties.desired.rate": 3}})
    assert desired() == {"size": {"x": 7, "y": 2}, "rate": 3, "$version": 3}
    name = "properties.desired.modules.late"
    _apply(service, {"$edgeAgent": {name: module(*SLEEPER)}, "late": {"properties.desired": {"a": 1}}})
    await _until(lambda: _status(edge, "late") == "running")


@pytest.mark.parametrize("section", [{"properties.desired": 1}, {"properties.desired": {"a b": 1}}])
def test_a_section_that_fits_in_no_twin_changes_nothing(service: ServiceClients, section: Any) -> None:
    with pytest.raises(HttpOperationError) as refused:
        _apply(service, {"camera": section, "viewer": {"properties.desired": {"a": 1}}})
    assert refused.value.response.status_code == 400
    assert service.registry.get_module_twin("edge", "viewer").properties.desired == {"$version": 1}
