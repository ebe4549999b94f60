"""Twins by the service SDK, as the module's SDK sees them."""

import asyncio
from typing import Any

import pytest
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import Twin, TwinProperties
from msrest.exceptions import HttpOperationError

from support.service import ServiceClients


async def _subscribed(client: IoTHubModuleClient) -> "asyncio.Queue[Any]":
    """Return the patches to come; the answered request shows that the subscription before it is in force."""
    patches: asyncio.Queue[Any] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    # The SDK calls handlers on threads of its own.
    client.on_twin_desired_properties_patch_received = lambda patch: loop.call_soon_threadsafe(
        patches.put_nowait, patch
    )
    await client.get_twin()
    return patches


def _desired(desired: dict[str, Any]) -> Twin:
    return Twin(properties=TwinProperties(desired=desired))


async def test_a_module_gets_what_the_service_updates(service: ServiceClients, camera: IoTHubModuleClient) -> None:
    patches = await _subscribed(camera)
    answer = await asyncio.to_thread(
        service.registry.update_module_twin, "edge", "camera", _desired({"rate": 2, "new": {"a": 1}})
    )
    assert answer.properties.desired == {"rate": 2, "new": {"a": 1}, "$version": 2}
    assert await patches.get() == {"rate": 2, "new": {"a": 1}, "$version": 2}
    assert (await camera.get_twin())["desired"] == {"rate": 2, "new": {"a": 1}, "$version": 2}


async def test_a_module_gets_the_difference_of_what_the_service_replaces(
    service: ServiceClients, camera: IoTHubModuleClient
) -> None:
    patches = await _subscribed(camera)
    twin = await asyncio.to_thread(service.registry.get_module_twin, "edge", "camera")
    twin.properties.desired = {"size": 7}
    twin.tags = {"site": "lab"}
    answer = await asyncio.to_thread(service.registry.replace_module_twin, "edge", "camera", twin, twin.etag)
    assert (answer.tags, answer.properties.desired) == ({"site": "lab"}, {"size": 7, "$version": 2})
    assert await patches.get() == {"rate": None, "size": 7, "$version": 2}


async def test_the_service_sees_what_a_module_reports(service: ServiceClients, camera: IoTHubModuleClient) -> None:
    await camera.patch_twin_reported_properties({"state": {"frames": 3}})
    twin = await asyncio.to_thread(service.registry.get_module_twin, "edge", "camera")
    assert twin.properties.reported == {"state": {"frames": 3}, "$version": 2}
    assert (twin.device_id, twin.module_id, twin.connection_state) == ("edge", "camera", "Connected")


def test_an_outdated_etag_is_refused(service: ServiceClients) -> None:
    registry = service.registry
    first = registry.get_module_twin("edge", "camera").etag
    second = registry.update_module_twin("edge", "camera", _desired({"rate": 2}), first).etag
    assert second != first
    for change in (registry.update_module_twin, registry.replace_module_twin):
        with pytest.raises(HttpOperationError) as refused:
            change("edge", "camera", _desired({"rate": 3}), first)
        assert refused.value.response.status_code == 412
    assert registry.get_module_twin("edge", "camera").properties.desired["rate"] == 2


def test_a_device_has_a_twin_with_tags(service: ServiceClients) -> None:
    registry = service.registry
    registry.update_twin("edge", Twin(tags={"site": "lab", "floor": 2}))
    twin = registry.update_twin("edge", Twin(tags={"floor": None}, properties=TwinProperties(desired={"a": 1})))
    assert (twin.tags, twin.properties.desired, twin.capabilities.iot_edge) == (
        {"site": "lab"},
        {"a": 1, "$version": 2},
        True,
    )
    assert registry.replace_twin("edge", Twin(tags={"line": 1}), twin.etag).tags == {"line": 1}


@pytest.mark.parametrize(("twin", "status"), [(_desired({"a b": 1}), 400), (Twin(tags={"a.b": 1}), 400)])
def test_what_fits_in_no_twin_is_refused(service: ServiceClients, twin: Twin, status: int) -> None:
    with pytest.raises(HttpOperationError) as refused:
        service.registry.update_module_twin("edge", "camera", twin)
    assert refused.value.response.status_code == status
    assert "ErrorCode:ArgumentInvalid" in refused.value.response.text


def test_devices_and_modules_are_listed(service: ServiceClients) -> None:
    registry = service.registry
    assert [device.device_id for device in registry.get_devices()] == ["edge"]
    assert registry.get_device("edge").capabilities.iot_edge
    modules = ["$edgeAgent", "$edgeHub", "camera", "viewer"]
    assert [module.module_id for module in registry.get_modules("edge")] == modules
    assert [registry.get_module("edge", name).module_id for name in modules] == modules


@pytest.mark.parametrize("names", [("nowhere", "camera"), ("edge", "nothing")])
def test_what_there_is_not_is_not_found(service: ServiceClients, names: tuple[str, str]) -> None:
    for ask in (service.registry.get_module, service.registry.get_module_twin):
        with pytest.raises(HttpOperationError) as refused:
            ask(*names)
        assert refused.value.response.status_code == 404
