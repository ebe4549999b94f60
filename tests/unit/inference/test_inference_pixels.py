"""Graphs that take pixels as they are: a quarter of the bytes, and no preparation that they do themselves."""

import base64
import io
from pathlib import Path

import httpx
import numpy as np
import onnx
import pytest
from onnx import TensorProto
from tritonclient.http import InferInput
from tritonclient.http.aio import InferenceServerClient

from edge_common.contract import Contract
from edge_common.messages import ModelIdentity
from edge_inference.errors import ContractMismatchError
from edge_inference.model import load_model
from edge_inference.onnx_session import OnnxSession
from support.inference import Device
from support.models import contract, graph, of_pixels, write_model
from support.sessions import PLAN
from support.web import free_port
from support.web_client import INFER, request

PIXELS = of_pixels(contract())
BRIGHT = "v1-bright"


def taking_pixels() -> onnx.ModelProto:
    return graph(dtype=TensorProto.UINT8)


@pytest.fixture
async def device(device: Device) -> Device:
    await device.swap_to(device.pack(PIXELS, model=taking_pixels()))
    return device


async def test_a_batch_of_pixels_is_answered_and_one_of_floats_is_not(device: Device) -> None:
    device.send(PIXELS, 50, 255)
    [message] = await device.predictions()
    assert [part.predictions[0]["label"] for part in message.parts] == [BRIGHT]
    [failed] = await device.rejects()  # 99 and more make the run fail
    assert failed.code == "RUN_FAILED"
    device.writer.write("floats", np.zeros((1, *PIXELS.input.sample_shape), np.float32))
    device.send_message("floats", PIXELS.input.stamp, 1)
    *_, mismatch = await device.rejects(2)
    assert (mismatch.code, "uint8" in mismatch.message) == ("CONTRACT_MISMATCH", True)


@pytest.mark.parametrize(
    ("made", "model", "fed"), [(PIXELS, graph(), "uint8"), (contract(), taking_pixels(), "float32")]
)
def test_what_graph_and_contract_take_must_be_the_same(
    tmp_path: Path, made: Contract, model: onnx.ModelProto, fed: str
) -> None:
    folder = write_model(tmp_path, made, model)
    identity = ModelIdentity(name="teller", version="1", digest="sha256:" + "0" * 64)
    with pytest.raises(ContractMismatchError, match=f"the contract feeds {fed} of shape"):
        load_model(folder, identity, made, OnnxSession, PLAN)


async def test_prepared_pixels_are_predicted_on_request(device: Device) -> None:
    def npy(dtype: type) -> dict[str, str]:
        file = io.BytesIO()
        np.save(file, np.full((1, *PIXELS.input.sample_shape), 9, dtype))
        return {"npy": base64.b64encode(file.getvalue()).decode()}

    status, answer = await device.hub.invoke("predict", npy(np.uint8))
    assert (status, answer["predictions"][0]["label"]) == (200, BRIGHT)
    status, answer = await device.hub.invoke("predict", npy(np.float32))
    assert (status, "uint8 of shape (rows, 1, 4, 4) is wanted" in answer["error"]) == (400, True)


async def test_pixels_are_asked_for_over_http(tmp_path: Path) -> None:
    device = Device(tmp_path)
    device.http = {"http_port": free_port(), "http_address": "127.0.0.1"}
    await device.start()
    try:
        await device.swap_to(device.pack(PIXELS, model=taking_pixels()))
        await ask(f"127.0.0.1:{device.http['http_port']}")
    finally:
        await device.stop()


async def ask(address: str) -> None:
    async with InferenceServerClient(address) as client:
        [taken] = (await client.get_model_metadata("teller"))["inputs"]
        assert (taken["datatype"], taken["shape"]) == ("UINT8", [-1, *PIXELS.input.sample_shape])
        wanted = InferInput("input", [2, *PIXELS.input.sample_shape], "UINT8")
        wanted.set_data_from_numpy(np.full((2, *PIXELS.input.sample_shape), 7, np.uint8))
        np.testing.assert_allclose((await client.infer("teller", [wanted])).as_numpy("output"), [[-7, 7]] * 2)
    async with httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as by_hand:
        good = await by_hand.post(INFER, json=request(7, datatype="UINT8"))
        assert good.json()["outputs"][0]["data"] == [-7, 7]
        for wrong in (256, -1, 0.5):
            bad = await by_hand.post(INFER, json=request(wrong, datatype="UINT8"))
            assert (bad.status_code, "numbers that UINT8 can hold" in bad.json()["error"]) == (400, True)
        floats = await by_hand.post(INFER, json=request(7))
        assert (floats.status_code, "takes UINT8, not FP32" in floats.json()["error"]) == (400, True)
