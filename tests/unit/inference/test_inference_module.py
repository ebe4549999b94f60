"""The whole module between a fake hub and real folders, models and onnxruntime."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge_common.messages import MAX_BODY_BYTES, ContractMessage
from edge_inference.onnx_session import OnnxSession
from edge_inference.session import Session
from support.inference import Device
from support.models import contract, graph, write_model

V1, V2, V3 = contract("v1"), contract("v2", side=6), contract("v3", side=8)


async def test_batches_are_answered_by_the_model_and_properties_say_which(device: Device) -> None:
    await device.swap_to(device.pack(V1, "digits", "1.0.0"))
    sent = device.send(V1, 1, -1)
    [message] = await device.predictions()
    assert (message.batch, message.stamp, message.kind) == (sent.batch, V1.input.stamp, "classification")
    assert [each.predictions[0]["label"] for each in message.parts] == ["v1-bright", "v1-dark"]
    assert [each.item for each in message.parts] == [each.item for each in sent.parts]
    [raw] = await device.hub.sent_to("predictions")
    assert raw.properties == {"kind": "classification", "model": "digits", "version": "1.0.0", "score": "1"}
    assert device.metric("items_total", outcome="predicted") == 2
    assert device.metric("batches_total") == 1
    assert device.metric("run_seconds_count") == 1


async def test_predictions_fit_their_messages(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.send(V1, *[1.0] * 200)
    messages = await device.predictions(4)
    assert sum(len(message.parts) for message in messages) == 200
    assert all(len(sent.body) <= MAX_BODY_BYTES for sent in await device.hub.sent_to("predictions"))


async def test_one_bad_item_harms_no_other(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.send(V1, 1, 99, -99, -1)
    [message] = await device.predictions()
    assert [each.predictions[0]["label"] for each in message.parts] == ["v1-bright", "v1-dark"]
    assert [(each.code, each.retryable) for each in await device.rejects()] == [
        ("RUN_FAILED", False),
        ("BAD_OUTPUT", False),
    ]
    assert device.metric("items_total", outcome="BAD_OUTPUT") == 1


async def test_a_batch_that_is_gone_or_torn_is_worth_another_try(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.send_message("gone", V1.input.stamp, items=2)
    (device.folder / "tensors" / "torn.npy").write_bytes(b"\x93NUMPY\x01\x00half")
    assert [(each.code, each.retryable) for each in await device.rejects()] == [("BATCH_GONE", True)] * 2
    device.send_message("torn", V1.input.stamp, items=1)
    assert (await device.rejects(2))[-1].code == "BATCH_TORN"


async def test_before_any_model_batches_are_for_later(device: Device) -> None:
    device.send(V1, 1)
    [verdict] = await device.rejects()
    assert (verdict.code, verdict.retryable) == ("NO_MODEL", True)
    await device.hub.until_reported("model.state", "Idle")


async def test_the_contract_is_announced_at_once_from_time_to_time_and_when_it_seems_unknown(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    [sent] = await device.hub.sent_to("contract")
    assert ContractMessage.decode(sent.body) == ContractMessage(stamp=V1.input.stamp, input=V1.input)
    assert sent.properties == {"kind": "contract"}
    await device.clock.advance(31)
    assert len(await device.hub.sent_to("contract", 2)) == 2
    device.send(V3, 1)
    [verdict] = await device.rejects()
    assert (verdict.code, verdict.retryable) == ("CONTRACT_GONE", True)
    assert len(await device.hub.sent_to("contract", 3)) == 3


async def test_a_swap_under_a_stream_drops_nothing_and_nobody_is_answered_by_the_wrong_model(device: Device) -> None:
    makers = {"a": V1, "b": V2}
    wanted = [device.pack(made_by, name) for name, made_by in makers.items()]
    await device.swap_to(wanted[0])
    expected = {}
    for round_number in range(6):
        device.desire(wanted[(round_number + 1) % 2])
        for _ in range(20):
            for name, made_by in makers.items() if round_number else [("a", V1)]:
                expected[device.send(made_by, 1).batch] = {"a": "v1-bright", "b": "v2-bright"}[name]
            await asyncio.sleep(0)
        digest = wanted[(round_number + 1) % 2]["ref"].split("@")[1]
        await device.hub.until_reported("model.active.digest", digest)
    answered = await device.predictions(len(expected))
    assert {each.batch: each.parts[0].predictions[0]["label"] for each in answered} == expected
    assert not [sent for sent in device.hub.sent if sent.output == "rejects"]


async def test_the_report_tells_the_way_of_a_swap(device: Device) -> None:
    first, second = device.pack(V1, version="1"), device.pack(V2, version="2")
    await device.swap_to(first)
    device.desire(second, requestId="r2")
    await device.hub.until_reported("model.previous.version", "1")
    model = device.hub.reported["model"]
    assert (model["ackVersion"], model["requestId"], model["state"]) == (3, "r2", "Active")
    assert model["active"] == {
        "name": "teller",
        "version": "2",
        "digest": second["ref"].split("@")[1],
        "stamp": V2.input.stamp,
        "providers": ["CPUExecutionProvider"],
    }
    assert model["last"]["result"] == "succeeded"
    assert device.metric("swaps_total", result="succeeded") == 2
    named = {key: model["active"][key] for key in ("name", "version", "digest")}
    assert device.metric("active_model_info", **named) == 1


async def test_the_retiring_model_answers_its_own_until_it_is_let_go(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    await device.swap_to(device.pack(V2, version="2"))
    device.send(V1, 1)
    [message] = await device.predictions()
    assert message.model.version == "1"
    await device.clock.advance(32)
    device.send(V1, 1)
    [verdict] = await device.rejects()
    assert verdict.code == "CONTRACT_GONE"


async def test_the_same_wish_again_is_only_acknowledged(device: Device) -> None:
    opened: list[Path] = []

    def open_session(path: Path, providers: Sequence[str]) -> Session:
        opened.append(path)
        return OnnxSession(path, providers)

    await device.restart(open_session)
    wanted = device.pack(V1)
    await device.swap_to(wanted)
    device.hub.edit_twin({"announceSeconds": 60})
    await device.hub.until_reported("model.ackVersion", 3)
    device.desire(wanted, requestId="again")
    await device.hub.until_reported("model.requestId", "again")
    assert device.hub.reported["model"]["state"] == "Active"
    assert len(opened) == 1


async def test_there_and_back_ends_with_the_last_wish(device: Device) -> None:
    first, second = device.pack(V1, version="1"), device.pack(V2, version="2")
    await device.swap_to(first)
    for _ in range(5):
        device.desire(second)
        device.desire(first)
    await device.hub.until_reported("model.ackVersion", device.hub.twin["$version"])
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["active"]["version"] == "1"
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"


class Gate:
    """Loads graphs once it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()
        self.open.set()

    def __call__(self, path: Path, providers: Sequence[str]) -> Session:
        self.reached.set()
        self.open.wait(60)
        return OnnxSession(path, providers)


async def test_the_newest_wish_cancels_the_one_under_way_and_the_active_model_serves_on(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    second, third = device.pack(V2, version="2"), device.pack(V3, version="3")
    gate = Gate()
    await device.restart(gate)
    await device.hub.until_reported("model.state", "Active")
    gate.reached.clear()
    gate.open.clear()
    device.desire(second)
    await asyncio.to_thread(gate.reached.wait, 60)
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"
    device.desire(third)
    await device.hub.until_reported("model.state", "Resolving")
    gate.open.set()
    await device.hub.until_reported("model.active.version", "3")
    assert device.hub.reported["model"]["previous"]["version"] == "1"


async def test_a_restart_runs_the_last_model_without_asking_anybody(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    await device.stop()
    shutil.rmtree(device.models)
    device.hub.twin = {"$version": 1}
    await device.start()
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["last"]["result"] == "succeeded"
    device.send(V1, 1)
    assert (await device.predictions())[0].parts[0].predictions[0]["label"] == "v1-bright"


async def test_a_kill_in_the_middle_leaves_the_last_model(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    second, gate = device.pack(V2, version="2"), Gate()
    await device.restart(gate)
    await device.hub.until_reported("model.state", "Active")
    gate.open.clear()
    device.desire(second)
    await device.hub.until_reported("model.state", "Loading")
    (device.state / "models" / ".half.tmp").mkdir()
    await device.crash(gate.open.set)
    await device.hub.until_reported("model.active.version", "2")
    assert device.hub.reported["model"]["previous"]["version"] == "1"


async def test_a_damaged_model_falls_back_to_the_one_before_and_the_twin_mends_it(device: Device) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    second = device.pack(V2, version="2")
    await device.swap_to(second)
    await device.stop()
    digest = second["ref"].split("@sha256:")[1]
    (device.state / "models" / digest / "files" / "model.onnx").write_bytes(b"rot")
    device.hub.twin.pop("model")
    await device.start()
    await device.hub.until_reported("model.active.version", "1")
    assert device.hub.reported["model"]["last"]["code"] == "DIGEST_MISMATCH"
    await device.swap_to(second)
    device.send(V2, 1)
    assert (await device.predictions())[0].model.version == "2"


def by_tag(device: Device) -> Any:
    return {**device.pack(V2, version="9"), "ref": "oci:library:latest"}


def climbing(device: Device) -> Any:
    return {**device.pack(V2, version="9"), "ref": "dir:../../etc@sha256:" + "0" * 64}


def other_version(device: Device) -> Any:
    return {**device.pack(V2, version="9"), "version": "10"}


def not_there(device: Device) -> Any:
    return {**device.pack(V2, version="9"), "ref": "oci:library@sha256:" + "0" * 64}


def flipped(device: Device) -> Any:
    wanted = device.pack(V2, version="9")
    for blob in (device.models / "library" / "blobs" / "sha256").iterdir():
        if blob.name != wanted["ref"].split(":")[-1]:
            blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    return wanted


def linked(device: Device) -> Any:
    wanted = device.pack(V2, version="9")
    for number, blob in enumerate((device.models / "library" / "blobs" / "sha256").iterdir()):
        os.link(blob, device.models / f"copy{number}")
    return wanted


def unpacked(device: Device, change: Callable[[Path], object]) -> Any:
    """A folder that no packing would have let pass."""
    folder = write_model(device.models / "loose", V2)
    change(folder)
    return device.loose(folder, "teller", "9")


def no_graph(device: Device) -> Any:
    return unpacked(device, lambda folder: (folder / "model.onnx").write_bytes(b"no graph"))


def no_contract(device: Device) -> Any:
    return unpacked(device, lambda folder: (folder / "contract.json").write_text('{"schema": 1}'))


def other_contract(device: Device) -> Any:
    return unpacked(device, lambda folder: write_model(folder, V2, graph(side=5)))


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (by_tag, "BAD_DESIRED"),
        (climbing, "BAD_DESIRED"),
        (other_version, "BAD_DESIRED"),
        (not_there, "NOT_FOUND"),
        (flipped, "DIGEST_MISMATCH"),
        (linked, "UNSAFE_MODEL"),
        (no_graph, "LOAD_FAILED"),
        (no_contract, "CONTRACT_MISMATCH"),
        (other_contract, "CONTRACT_MISMATCH"),
    ],
)
async def test_a_bad_wish_has_its_code_and_the_active_model_serves_on(
    device: Device, make: Callable[[Device], Any], code: str
) -> None:
    good = device.pack(V1)
    await device.swap_to(good)
    await device.refuses(make(device), code, V1)
    device.desire(good)
    await device.hub.until_reported("model.state", "Active")


async def test_a_package_over_the_limit_is_refused(device: Device) -> None:
    device.hub.edit_twin({"maxModelBytes": 100})
    device.desire(device.pack(V1))
    await device.hub.until_reported("model.last.code", "NO_SPACE")


async def test_a_wish_that_failed_is_not_tried_again_at_every_edit(device: Device) -> None:
    device.desire(not_there(device))
    await device.hub.until_reported("model.last.code", "NOT_FOUND")
    device.hub.edit_twin({"announceSeconds": 60})
    await device.hub.until_reported("model.ackVersion", device.hub.twin["$version"])
    assert device.metric("swaps_total", result="NOT_FOUND") == 1
    device.desire({"requestId": "again"})
    await device.hub.until_reported("model.requestId", "again")
    await device.hub.until_reported("model.state", "Failed")
    assert device.metric("swaps_total", result="NOT_FOUND") == 2


async def test_an_unpacked_folder_is_the_same_model_as_its_package(device: Device) -> None:
    folder = write_model(device.models / "loose", V1)
    wanted = device.loose(folder, "teller", "1")
    assert wanted["ref"].split("@")[1] == device.pack(V1)["ref"].split("@")[1]
    await device.swap_to(wanted)
    device.send(V1, 1)
    assert (await device.predictions())[0].model.digest == wanted["ref"].split("@")[1]


async def test_where_a_gpu_is_required_and_there_is_none_service_is_refused(device: Device) -> None:
    device.hub.edit_twin({"requireGpu": True, "model": device.pack(V1)})
    await device.hub.until_reported("model.last.code", "NO_GPU")
    assert device.hub.reported["model"]["state"] == "Failed"
    assert device.metric("gpu_active") == 0
    device.send(V1, 1)
    [verdict] = await device.rejects()
    assert (verdict.code, verdict.retryable) == ("NO_GPU", True)


async def test_a_gpu_required_later_stops_the_service_until_it_is_required_no_more(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.hub.edit_twin({"requireGpu": True})
    await device.hub.until_reported("model.last.code", "NO_GPU")
    device.send(V1, 1)
    [verdict] = await device.rejects()
    assert (verdict.code, verdict.retryable) == ("NO_GPU", True)
    device.hub.edit_twin({"requireGpu": False})
    await device.hub.until_reported("model.state", "Active")
    device.send(V1, 1)
    assert await device.predictions()


async def test_settings_change_without_a_restart(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.hub.edit_twin({"callers": 3, "providers": ["CPUExecutionProvider"]})
    await device.hub.until_reported("config.version", device.hub.twin["$version"])
    device.send(V1, 1)
    assert await device.predictions()


async def test_without_a_wish_the_settings_still_reach_the_active_model(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    device.hub.edit_twin({"model": None, "requireGpu": True})
    await device.hub.until_reported("model.last.code", "NO_GPU")
    assert json.loads((device.state / "active.json").read_bytes())["active"]["version"] == "1"
