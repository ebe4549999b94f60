"""The Open Inference Protocol, asked for by a client that others wrote, and by hand."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from onnx import TensorProto, helper
from tritonclient.http import InferenceServerClient as BlockingClient
from tritonclient.http import InferInput, InferRequestedOutput
from tritonclient.http.aio import InferenceServerClient

from edge_common.fakes import FakeHub
from edge_inference.web.wiring import MOST_BYTES, PLACES
from support.inference import Device
from support.models import contract, graph
from support.web import free_port
from support.web_client import INFER, SAMPLE, half_a_request, request

V1 = contract("v1")


@pytest.fixture
async def bare(tmp_path: Path) -> AsyncIterator[Device]:
    """A module that serves HTTP on loopback, and has no model yet."""
    device = Device(tmp_path)
    device.http = {"http_port": free_port(), "http_address": "127.0.0.1"}
    await device.start()
    yield device
    await device.stop()


@pytest.fixture
async def device(bare: Device) -> Device:
    """One with version 1 active."""
    await bare.swap_to(bare.pack(V1))
    return bare


@pytest.fixture
def address(device: Device) -> str:
    return f"127.0.0.1:{device.http['http_port']}"


@pytest.fixture
async def client(address: str) -> AsyncIterator[InferenceServerClient]:
    async with InferenceServerClient(address) as client:
        yield client


@pytest.fixture
async def by_hand(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as client:
        yield client


def tensor(*samples: float, binary: bool = True) -> InferInput:
    rows = np.stack([np.full(SAMPLE, sample, np.float32) for sample in samples])
    given = InferInput("input", rows.shape, "FP32")
    given.set_data_from_numpy(rows, binary_data=binary)
    return given


async def test_a_client_sees_what_there_is(client: InferenceServerClient) -> None:
    assert await client.is_server_live()
    assert await client.is_server_ready()
    assert await client.is_model_ready("teller")
    assert await client.is_model_ready("teller", "1")
    assert not await client.is_model_ready("teller", "2")
    about = await client.get_server_metadata()
    assert (about["name"], about["extensions"]) == ("edge-inference", ["binary_tensor_data"])
    assert await client.get_model_metadata("teller") == {
        "name": "teller",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 1, 4, 4]}],
        "outputs": [{"name": "output", "datatype": "FP32", "shape": [-1, 2]}],
    }


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
async def test_a_client_gets_the_outputs(
    client: InferenceServerClient, *, binary_in: bool, binary_out: bool | None
) -> None:
    outputs = None if binary_out is None else [InferRequestedOutput("output", binary_data=binary_out)]
    given = tensor(0.25, -2, binary=binary_in)
    result = await client.infer("teller", [given], outputs=outputs, request_id="7")
    np.testing.assert_array_equal(result.as_numpy("output"), np.array([[-0.25, 0.25], [2, -2]], np.float32))
    said = result.get_response()
    assert (said["model_name"], said["model_version"], said["id"]) == ("teller", "1", "7")
    assert ("data" in said["outputs"][0]) == (binary_out is False)


async def test_the_blocking_client_is_served_as_well(address: str) -> None:
    def ask() -> Any:
        with BlockingClient(address) as client:
            return client.infer("teller", [tensor(3)], model_version="1").as_numpy("output").tolist()

    assert await asyncio.to_thread(ask) == [[-3, 3]]


async def test_lists_may_be_nested_as_the_tensor_is(by_hand: httpx.AsyncClient) -> None:
    response = await by_hand.post(INFER, json=request(2, data=[[[[2] * 4] * 4]]))
    assert response.json() == {
        "model_name": "teller",
        "model_version": "1",
        "outputs": [{"name": "output", "datatype": "FP32", "shape": [1, 2], "data": [-2.0, 2.0]}],
    }


def wanting(**outputs: Any) -> dict[str, Any]:
    return {**request(1), "outputs": [{"name": name, "parameters": given} for name, given in outputs.items()]}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("no JSON", "Invalid JSON"),
        ({}, "inputs: Field required"),
        ({"inputs": []}, "inputs: Tuple should have at least 1 item"),
        ({"inputs": request(1)["inputs"] * 2}, "the model takes one input, 'input', and was given 'input', 'input'"),
        (request(1, name="picture"), "the model takes one input, 'input', and was given 'picture'"),
        (request(1, datatype="FP64"), "takes FP32, not FP64"),
        (request(1, shape=[1, 1, 4, 5]), "takes shape [1 to 8, 1, 4, 4], not [1, 1, 4, 5]"),
        (request(1, shape=[]), "takes shape [1 to 8, 1, 4, 4], not []"),
        (request(1, shape=[-1, 1, 4, 4]), "takes shape"),
        (request(*[0] * 9), "takes shape [1 to 8, 1, 4, 4], not [9, 1, 4, 4]"),
        (request(1, shape=[2, 1, 4, 4]), "16 numbers are not of shape [2, 1, 4, 4]"),
        (request(1, data=["1"] * 16), "data must be numbers"),
        (request(1, data=[1, [2]]), "inhomogeneous"),
        (request(1, data=[1e300] * 16), "numbers that FP32 can hold"),
        (json.dumps(request(0.5)).replace("0.5", "NaN"), "numbers that FP32 can hold"),
        (request(1, data=None), "needs data, or binary_data_size"),
        (request(1, data=None, parameters={"binary_data_size": 64}), "must be all of the 0 bytes"),
        (request(1, parameters={"shared_memory_region": "x"}), "shared_memory_region is not supported"),
        (wanting(scores={}), "the model gives 'output', not 'scores'"),
        (wanting(output={"classification": 3}), "classification is not supported"),
    ],
)
async def test_what_is_wrong_with_a_request_is_said(by_hand: httpx.AsyncClient, body: Any, reason: str) -> None:
    response = await by_hand.post(INFER, content=body if isinstance(body, str) else json.dumps(body))
    assert (response.status_code, [*response.json()]) == (400, ["error"])
    assert reason in response.json()["error"]


@pytest.mark.parametrize("head", ["x", "-1", "10000000", "5"])
async def test_a_head_of_another_length_is_refused(by_hand: httpx.AsyncClient, head: str) -> None:
    response = await by_hand.post(INFER, json=request(1), headers={"Inference-Header-Content-Length": head})
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/models/painter/infer", 404),
        ("POST", "/v2/models/teller/versions/2/infer", 404),
        ("GET", "/v2/models/painter", 404),
        ("GET", "/v2/models/teller/versions/2/ready", 404),
        ("GET", "/", 404),
        ("GET", INFER, 405),
    ],
)
async def test_what_there_is_not_is_said(by_hand: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    response = await by_hand.request(method, path, content=json.dumps(request(1)) if method == "POST" else None)
    assert response.status_code == status
    assert response.json()["error"]


async def test_a_body_that_is_too_large_is_not_read(by_hand: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // (1 << 20)):
            yield bytes(1 << 20)
        yield b"x"

    for content in (bytes(MOST_BYTES + 1), pieces()):
        response = await by_hand.post(INFER, content=content)
        assert (response.status_code, "a body may have" in response.json()["error"]) == (413, True)
    assert (await by_hand.post(INFER, json=request(1))).status_code == 200


async def test_a_compressed_body_is_refused(by_hand: httpx.AsyncClient) -> None:
    response = await by_hand.post(INFER, content=b"x", headers={"Content-Encoding": "gzip"})
    assert response.status_code == 415


async def test_without_a_model_it_lives_and_is_not_ready(bare: Device) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bare.http['http_port']}", timeout=60) as asked:
        assert (await asked.get("/v2/health/live")).status_code == 200
        assert (await asked.get("/v2/health/ready")).status_code == 400
        refused = await asked.post(INFER, json=request(1))
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json() == {"error": "no model is active"}


async def test_a_run_that_fails_is_the_servers_fault(by_hand: httpx.AsyncClient) -> None:
    response = await by_hand.post(INFER, json=request(99))
    assert (response.status_code, "the model could not run" in response.json()["error"]) == (500, True)


async def test_an_output_that_is_a_single_number_is_given_as_it_is(bare: Device) -> None:
    made = graph()
    made.graph.node.append(helper.make_node("ReduceMax", ["flat"], ["brightest"], keepdims=0))
    made.graph.output.append(helper.make_tensor_value_info("brightest", TensorProto.FLOAT, []))
    await bare.swap_to(bare.pack(V1, model=made))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bare.http['http_port']}", timeout=60) as asked:
        answer = (await asked.post(INFER, json=request(1, 3))).json()
    assert [(output["shape"], output["data"]) for output in answer["outputs"]] == [([2, 2], [-1, 1, -3, 3]), ([], [3])]


async def test_json_cannot_hold_what_binary_data_can(client: InferenceServerClient, by_hand: httpx.AsyncClient) -> None:
    response = await by_hand.post(INFER, json=request(-99))
    assert (response.status_code, "ask for binary data" in response.json()["error"]) == (500, True)
    assert np.isnan((await client.infer("teller", [tensor(-99)])).as_numpy("output")).all()


async def test_more_requests_than_there_are_places_for_are_refused(
    device: Device, address: str, by_hand: httpx.AsyncClient
) -> None:
    async with AsyncExitStack() as stack:
        port = int(address.rpartition(":")[2])
        halves = [await stack.enter_async_context(half_a_request(port)) for _ in range(PLACES)]
        while (refused := await by_hand.post(INFER, json=request(1))).status_code == 200:
            await asyncio.sleep(0.01)
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json() == {"error": "too many requests wait already"}
        assert await asyncio.gather(*(finish() for finish in halves)) == [200] * PLACES
    assert (await by_hand.post(INFER, json=request(1))).status_code == 200
    assert device.metric("http_requests_total", route="infer", status="503")


async def test_who_goes_away_in_the_middle_leaves_the_place(
    address: str, by_hand: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(PLACES + 1):
        async with half_a_request(int(address.rpartition(":")[2])):
            pass
    while (await by_hand.post(INFER, json=request(1))).status_code != 200:
        await asyncio.sleep(0.01)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_swap_costs_no_request(device: Device, address: str) -> None:
    seen: set[tuple[str, float]] = set()
    swapped = asyncio.Event()

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as asked:
            while not swapped.is_set():
                response = await asked.post(INFER, json=request(1, 2))
                response.raise_for_status()
                seen.add((response.json()["model_version"], response.json()["outputs"][0]["data"][3]))

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(ask())
        for version in ("2", "3"):
            await device.swap_to(device.pack(contract(f"v{version}"), version=version))
            while (version, 2.0) not in seen:
                await asyncio.sleep(0.01)
        swapped.set()
    assert {version for version, _ in seen} >= {"2", "3"}


class DeafHub(FakeHub):
    """One that takes no predictions."""

    async def send(self, output: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        if output == "predictions":
            await asyncio.Future()
        await super().send(output, body, properties)


async def test_a_hub_that_is_away_holds_up_no_request(bare: Device) -> None:
    bare.make_hub = DeafHub
    await bare.restart()
    await bare.swap_to(bare.pack(V1))
    for _ in range(50):
        bare.send(V1, 1)
    while (bare.metric("batches_total") or 0) < 2:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bare.http['http_port']}", timeout=60) as asked:
        assert (await asked.post(INFER, json=request(1))).status_code == 200


async def test_batches_and_requests_are_answered_side_by_side(device: Device, by_hand: httpx.AsyncClient) -> None:
    device.hub.edit_twin({"callers": 1})
    asking = [asyncio.create_task(by_hand.post(INFER, json=request(1))) for _ in range(PLACES)]
    for _ in range(20):
        device.send(V1, 1)
    predicted = await device.predictions(20)
    assert {(await asked).status_code for asked in asking} == {200}
    assert len(predicted) == 20
