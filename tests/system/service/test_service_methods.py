"""Direct methods: by the service SDK, between modules, and from the command line."""

import asyncio
import json
from typing import Any

import pytest
from azure.iot.device import MethodResponse
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.hub.models import CloudToDeviceMethod
from msrest.exceptions import HttpOperationError

from support.service import ServiceClients
from support.simulator import SimulatorProcess

METHOD = "take picture"


async def _serve(client: IoTHubModuleClient, status: int = 200) -> None:
    """Answer every method with its own name and payload."""

    async def answer(request: Any) -> None:
        payload = {"name": request.name, "payload": request.payload}
        await client.send_method_response(MethodResponse.create_from_method_request(request, status, payload))

    client.on_method_request_received = answer
    await client.get_twin()


async def _invoke(service: ServiceClients, module: str, **call: Any) -> Any:
    call = {"method_name": METHOD, "response_timeout_in_seconds": 5, "connect_timeout_in_seconds": 0, **call}
    return await asyncio.to_thread(
        service.registry.invoke_device_module_method, "edge", module, CloudToDeviceMethod(**call)
    )


@pytest.mark.parametrize("payload", [1, "text", [1, "ä"], {"a": {"b": None}}])
async def test_a_modules_answer_comes_back(service: ServiceClients, camera: IoTHubModuleClient, payload: Any) -> None:
    await _serve(camera, 207)
    result = await _invoke(service, "camera", payload=payload)
    assert (result.status, result.payload) == (207, {"name": METHOD, "payload": payload})


async def test_a_module_that_is_not_there_cannot_be_called(service: ServiceClients) -> None:
    with pytest.raises(HttpOperationError) as refused:
        await _invoke(service, "camera")
    assert refused.value.response.status_code == 404
    assert "DeviceNotOnline" in refused.value.response.text


async def test_a_call_waits_for_a_module_to_come(service: ServiceClients, camera: IoTHubModuleClient) -> None:
    calling = asyncio.create_task(_invoke(service, "camera", connect_timeout_in_seconds=30))
    await asyncio.to_thread(service.registry.get_devices)
    assert not calling.done()
    await _serve(camera)
    assert (await calling).status == 200


async def test_an_answer_that_does_not_come_is_a_gateway_timeout(
    service: ServiceClients, camera: IoTHubModuleClient
) -> None:
    camera.on_method_request_received = lambda _: None
    await camera.get_twin()
    with pytest.raises(HttpOperationError) as refused:
        await _invoke(service, "camera")
    assert refused.value.response.status_code == 504


@pytest.mark.parametrize(
    "call",
    [
        {"method_name": ""},
        {"method_name": "x" * 101},
        {"response_timeout_in_seconds": 4},
        {"response_timeout_in_seconds": 301},
        {"connect_timeout_in_seconds": 301},
        {"payload": "x" * 131_072},
    ],
)
async def test_calls_over_the_limits_are_refused(service: ServiceClients, call: dict[str, Any]) -> None:
    with pytest.raises(HttpOperationError) as refused:
        await _invoke(service, "camera", **call)
    assert refused.value.response.status_code == 400


async def test_modules_call_each_other(camera: IoTHubModuleClient, viewer: IoTHubModuleClient) -> None:
    await _serve(camera)
    call = {"methodName": METHOD, "payload": [1], "responseTimeoutInSeconds": 5, "connectTimeoutInSeconds": 0}
    answer = await viewer.invoke_method(call, "edge", "camera")
    assert answer == {"status": 200, "payload": {"name": METHOD, "payload": [1]}}


async def test_the_command_line_calls_methods(edge: SimulatorProcess, camera: IoTHubModuleClient) -> None:
    await _serve(camera)
    output = await asyncio.to_thread(edge.run, "method", "camera", METHOD, "--payload", '{"a": 1}')
    assert json.loads(output) == {"status": 200, "payload": {"name": METHOD, "payload": {"a": 1}}}
