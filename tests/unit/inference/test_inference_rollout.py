"""What a wish goes through from Golden to Active or back, and what a restart finds."""

import asyncio
import base64
import io
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_common.contract import Contract
from edge_inference.errors import RunFailedError
from edge_inference.onnx_session import OnnxSession
from edge_inference.session import Array, Session, Way
from support.inference import Device
from support.models import contract, write_golden, write_model

V1, V2 = contract("v1"), contract("v2", side=6)
SAME = contract("v1", top_k=1)
"""Takes what V1 takes, and names the same classes."""
BAKE = {"bakeSeconds": 60.0}


def digest(wanted: Mapping[str, Any]) -> str:
    return str(wanted["ref"]).split("@")[1]


def version(device: Device) -> Any:
    return device.hub.reported["model"]["active"]["version"]


def answered(device: Device) -> int:
    return sum(sent.output in {"predictions", "rejects"} for sent in device.hub.sent)


async def stream(device: Device, made_under: Contract, batches: int, value: float = 1) -> None:
    """Batches of four, one after the other, until all are answered."""
    for _ in range(batches):
        before = answered(device)
        device.send(made_under, *[value] * 4)
        while answered(device) == before:
            await asyncio.sleep(0)


async def until_failed(device: Device, code: str) -> None:
    """Let time pass, no faster than what runs beside can follow, until a wish has come to this."""
    while device.hub.reported["model"].get("last", {}).get("code") != code:
        await device.clock.advance(0.5)


class Sick:
    """Opens graphs of which one, once the test says so, gets them wrong or slow."""

    def __init__(self, device: Device) -> None:
        self._clock = device.clock
        self.version = ""
        self.how = ""

    def __call__(self, path: Path, providers: Sequence[str]) -> Session:
        return SickSession(self, OnnxSession(path, providers), path.parent.parent)


class SickSession:
    def __init__(self, sick: Sick, well: OnnxSession, package: Path) -> None:
        self._sick, self._well, self._package = sick, well, package
        self._version = json.loads((package / "config.json").read_bytes())["descriptor"]["version"]
        self.providers, self.inputs, self.outputs = well.providers, well.inputs, well.outputs
        self.way = well.way

    def anew(self, way: Way) -> Session:
        return SickSession(self._sick, self._well.anew(way), self._package)

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        values = self._well.run(feeds, outputs)
        self._sick._clock._seconds += 0.001
        if self._version != self._sick.version:
            return values
        if self._sick.how == "fails":
            raise RunFailedError("it is sick")
        if self._sick.how == "slow":
            self._sick._clock._seconds += 0.1
        return [-array for array in values] if self._sick.how == "differs" else values


@pytest.fixture
async def sick(device: Device) -> Sick:
    sick = Sick(device)
    await device.restart(sick)
    return sick


async def test_a_candidate_that_fails_its_examples_never_serves(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    folder = write_model(device.models / "loose", V1)
    write_golden(folder, V1, 1, 2, off=1)
    device.desire(device.loose(folder, "teller", "2"), requestId="r1")
    await device.hub.until_reported("model.last.code", "GOLDEN_FAILED")
    model = device.hub.reported["model"]
    assert (model["state"], version(device)) == ("Failed", "1")
    assert [entry["code"] for entry in model["rejected"]] == ["GOLDEN_FAILED"]


async def test_a_rejected_package_is_tried_again_only_under_another_request(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    folder = write_model(device.models / "loose", V1)
    write_golden(folder, V1, 1, off=1)
    wanted = device.loose(folder, "teller", "2")
    device.desire(wanted, requestId="r1")
    await device.hub.until_reported("model.last.code", "GOLDEN_FAILED")
    await device.restart()
    await device.hub.until_reported("model.last.detail", "rejected before; another requestId has it tried again")
    assert device.metric("swaps_total", result="GOLDEN_FAILED") is None
    device.desire(wanted, requestId="r2", gate={"goldenMinAgreement": 0.0})
    await device.hub.until_reported("model.active.version", "2")
    await device.hub.until_reported("model.rejected", None)


async def test_what_cannot_be_recorded_never_serves(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    record = device.state / "active.json"
    record.rename(device.state / "aside")
    record.mkdir()  # which no file can be renamed to
    device.desire(device.pack(V2, version="2"))
    await device.hub.until_reported("model.last.code", "NO_SPACE")
    assert version(device) == "1"
    device.send(V2, 1)
    assert [verdict.code for verdict in await device.rejects()] == ["CONTRACT_GONE"]
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"


async def test_an_older_version_needs_leave(device: Device) -> None:
    older, newer = device.pack(V1, version="1.9"), device.pack(V2, version="1.10")
    await device.swap_to(newer)
    device.desire(older)
    await device.hub.until_reported("model.last.code", "DOWNGRADE")
    assert version(device) == "1.10"
    device.desire(older, allowDowngrade=True)
    await device.hub.until_reported("model.active.version", "1.9")


async def test_a_shadow_that_agrees_takes_over(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    shadow, gate = {"items": 4, "maxSeconds": 60.0}, {"minAgreement": 1.0}
    device.desire(device.pack(SAME, version="2"), shadow=shadow, gate=gate)
    await device.hub.until_reported("model.state", "Shadow")
    assert device.hub.reported["model"]["candidate"]["percent"] == 100
    await stream(device, V1, 3)
    assert {each.model.version for each in await device.predictions()} == {"1"}
    await device.clock.advance(60)
    await device.hub.until_reported("model.active.version", "2")
    assert "candidate" not in device.hub.reported["model"]


@pytest.mark.parametrize(("how", "code"), [("differs", "DISAGREEMENT"), ("fails", "ERROR_RATE")])
async def test_a_shadow_that_is_no_good_never_serves(device: Device, sick: Sick, how: str, code: str) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    shadow, gate = {"items": 4, "maxSeconds": 60.0}, {"minAgreement": 0.9}
    device.desire(device.pack(SAME, version="2"), shadow=shadow, gate=gate)
    await device.hub.until_reported("model.state", "Shadow")
    sick.version, sick.how = "2", how
    await stream(device, V1, 3)
    await until_failed(device, code)
    assert any(sent.output == "hints" for sent in device.hub.sent) == (how == "differs")
    assert (device.hub.reported["model"]["state"], version(device)) == ("Failed", "1")
    assert device.hub.reported["model"]["last"]["result"] == "failed"
    assert {each.model.version for each in await device.predictions()} == {"1"}
    assert not [sent for sent in device.hub.sent if sent.output == "rejects"]


async def test_what_bakes_well_is_good(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(V2, version="2"), gate=BAKE)
    await device.hub.until_reported("model.state", "Baking")
    assert version(device) == "2"
    assert json.loads((device.state / "active.json").read_bytes())["active"]["version"] == "1"
    await stream(device, V2, 3)
    device.send(V1, 1)
    assert (await device.predictions(4))[-1].model.version == "1"
    await device.clock.advance(61)
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["previous"]["version"] == "1"
    assert json.loads((device.state / "active.json").read_bytes())["active"]["version"] == "2"


@pytest.mark.parametrize(("how", "code"), [("differs", "DISAGREEMENT"), ("fails", "ERROR_RATE"), ("slow", "LATENCY")])
async def test_what_bakes_badly_is_rolled_back(device: Device, sick: Sick, how: str, code: str) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    await stream(device, V1, 25)
    device.desire(device.pack(SAME, version="2"), gate={**BAKE, "minAgreement": 0.9}, requestId="r1")
    await device.hub.until_reported("model.state", "Baking")
    sick.version, sick.how = "2", how
    await stream(device, V1, 25)
    await until_failed(device, code)
    model = device.hub.reported["model"]
    assert (model["state"], model["last"]["result"], version(device)) == ("Failed", "rolledBack", "1")
    assert model["rejected"] == [{"digest": digest(device.hub.twin["model"]), "requestId": "r1", "code": code}]
    device.send(V1, 1, batch="after")
    while not any(each.batch == "after" for each in await device.predictions()):
        await asyncio.sleep(0)
    assert [each.model.version for each in await device.predictions() if each.batch == "after"] == ["1"]


async def test_a_wish_that_comes_while_another_bakes_starts_from_the_last_good_model(device: Device) -> None:
    first = device.pack(V1, version="1")
    await device.swap_to(first)
    device.desire(device.pack(V2, version="2"), gate=BAKE)
    await device.hub.until_reported("model.state", "Baking")
    device.desire(first)
    await device.hub.until_reported("model.active.version", "1")
    await device.hub.until_reported("model.state", "Active")
    assert device.metric("swaps_total", result="succeeded") == 1


async def test_where_memory_holds_one_model_the_old_one_goes_first_and_comes_back(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    folder = write_model(device.models / "loose", V1)
    write_golden(folder, V1, 1, off=1)
    device.desire(device.loose(folder, "teller", "2"), swap="resource")
    await device.hub.until_reported("model.last.code", "GOLDEN_FAILED")
    assert version(device) == "1"
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"
    device.desire(device.pack(V2, version="3"), swap="resource")
    await device.hub.until_reported("model.active.version", "3")
    device.send(V1, 1)
    [verdict] = await device.rejects()
    assert (verdict.code, verdict.retryable) == ("CONTRACT_GONE", True)


class Stuck:
    """Opens graphs, but one only when it is let."""

    def __init__(self) -> None:
        self.reached, self.let = threading.Event(), threading.Event()

    def __call__(self, path: Path, providers: Sequence[str]) -> Session:
        package = path.parent.parent
        if json.loads((package / "config.json").read_bytes())["descriptor"]["version"] == "2":
            self.reached.set()
            self.let.wait(60)
        return OnnxSession(path, providers)


async def test_what_takes_the_process_down_again_and_again_is_left_alone(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(V2, version="2"), requestId="r1")
    await device.hub.until_reported("model.active.version", "2")
    await device.stop()
    state = json.loads((device.state / "active.json").read_bytes())
    state.update(active=state["previous"], previous=None, attempts={digest(device.hub.twin["model"]): 1})
    (device.state / "active.json").write_text(json.dumps(state))
    stuck = Stuck()
    await device.start(stuck)
    await asyncio.to_thread(stuck.reached.wait, 60)
    await device.crash(stuck.let.set)
    await device.hub.until_reported("model.last.code", "CRASH_LOOP")
    assert version(device) == "1"
    assert device.hub.reported["model"]["rejected"][0]["code"] == "CRASH_LOOP"
    device.desire({"requestId": "r2"})
    await device.hub.until_reported("model.active.version", "2")


async def test_a_last_good_model_that_takes_the_process_down_gives_way_to_the_one_before(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    await device.swap_to(device.pack(V2, version="2"))
    await device.stop()
    state = json.loads((device.state / "active.json").read_bytes())
    (device.state / "active.json").write_text(json.dumps({**state, "attempts": {state["active"]["digest"]: 2}}))
    await device.start()
    await device.hub.until_reported("model.active.version", "1")
    await device.hub.until_reported("model.rejected", [{**state_of(state), "code": "CRASH_LOOP"}])


def state_of(state: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"digest": state["active"]["digest"], "requestId": None}


async def test_a_kill_while_baking_leaves_the_last_good_model(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(V2, version="2"), gate=BAKE)
    await device.hub.until_reported("model.state", "Baking")
    wanted = device.hub.twin.pop("model")
    await device.crash(lambda: None)
    await device.hub.until_reported("model.active.version", "1")
    device.desire(wanted)
    await device.hub.until_reported("model.state", "Baking")


async def test_an_operator_rolls_back_and_the_twin_does_not_undo_it(device: Device) -> None:
    assert (await device.hub.invoke("rollback"))[0] == 409
    await device.swap_to(device.pack(V1, version="1"))
    assert (await device.hub.invoke("rollback"))[0] == 409
    device.desire(device.pack(V2, version="2"), requestId="r1")
    await device.hub.until_reported("model.active.version", "2")
    status, body = await device.hub.invoke("rollback")
    assert (status, body["model"]["active"]["version"]) == (200, "1")
    assert body["model"]["last"]["result"] == "rolledBack"
    await device.restart()
    await device.hub.until_reported("model.state", "Failed")
    assert version(device) == "1"
    device.desire({"requestId": "r2"})
    await device.hub.until_reported("model.active.version", "2")


async def test_rolling_back_what_bakes_leaves_the_last_good_model(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(V2, version="2"), gate=BAKE)
    await device.hub.until_reported("model.state", "Baking")
    status, body = await device.hub.invoke("rollback")
    assert (status, body["model"]["active"]["version"]) == (200, "1")
    assert body["model"]["rejected"][0]["digest"] == digest(device.hub.twin["model"])


async def test_a_validation_goes_to_golden_and_switches_nothing(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    status, body = await device.hub.invoke("validate", device.pack(V2, version="2"))
    assert (status, body["result"], version(device)) == (200, "succeeded", "1")
    folder = write_model(device.models / "loose", V1)
    write_golden(folder, V1, 1, off=1)
    status, body = await device.hub.invoke("validate", device.loose(folder, "teller", "3"))
    assert (status, body["code"]) == (200, "GOLDEN_FAILED")
    assert (await device.hub.invoke("validate", {"ref": 1}))[1]["code"] == "BAD_DESIRED"
    assert device.hub.reported["model"]["state"] == "Active"
    device.desire(device.pack(V2, version="4"), gate=BAKE)
    await device.hub.until_reported("model.state", "Baking")
    assert (await device.hub.invoke("validate", device.pack(V2, version="2")))[0] == 409


async def test_the_models_are_listed(device: Device) -> None:
    first, second = device.pack(V1, version="1"), device.pack(V2, version="2")
    await device.swap_to(first)
    await device.swap_to(second)
    status, body = await device.hub.invoke("models")
    assert status == 200
    assert {entry["digest"]: entry["state"] for entry in body["models"]} == {
        digest(first): "Previous",
        digest(second): "Active",
    }
    assert all(entry["bytes"] > 100 for entry in body["models"])


def npy(array: Any) -> dict[str, str]:
    file = io.BytesIO()
    np.save(file, array)
    return {"npy": base64.b64encode(file.getvalue()).decode()}


async def test_prepared_samples_are_predicted(device: Device) -> None:
    ask = npy(np.ones((1, *V1.input.sample_shape), np.float32))
    assert (await device.hub.invoke("predict", ask))[0] == 409
    await device.swap_to(device.pack(V1))
    status, body = await device.hub.invoke("predict", ask)
    assert (status, body["predictions"][0]["label"]) == (200, "v1-bright")


@pytest.mark.parametrize(
    "payload",
    [
        None,
        {},
        {"npy": 7},
        {"npy": "no base64"},
        {"npy": base64.b64encode(b"no array").decode()},
        npy(np.ones((1, 1, 4, 4), np.float64)),
        npy(np.ones((1, 1, 5, 4), np.float32)),
        npy(np.ones((65, 1, 4, 4), np.float32)),
        npy(np.ones((0, 1, 4, 4), np.float32)),
        npy(np.full((1, 1, 4, 4), 99, np.float32)),
        npy(np.full((1, 1, 4, 4), -99, np.float32)),
        npy(np.float32(1)),
    ],
)
async def test_what_cannot_be_predicted_is_refused(device: Device, payload: Any) -> None:
    await device.swap_to(device.pack(V1))
    status, body = await device.hub.invoke("predict", payload)
    assert status == 400
    assert body["error"]
