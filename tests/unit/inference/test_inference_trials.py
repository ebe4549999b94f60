"""What transform prepares on inference's word: files that an operator asks about, and a candidate's own batches."""

import asyncio
import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pytest

from edge_common.contract import Contract
from edge_common.messages import (
    HintsMessage,
    LiveShare,
    Mark,
    OneFile,
    Part,
    TensorsMessage,
    TrialBatchMessage,
    TrialMessage,
)
from edge_inference.trials import ANSWER_S, LEASE_S, RENEW_S
from support import tables
from support.inference import Device
from support.models import contract

V1, V2 = contract("v1"), contract("v1", side=6)
"""They take other inputs, and name the same classes."""
SHADOW = {"items": 4, "maxSeconds": 60.0, "share": 0.25}
FILE = {"file": base64.b64encode(b"a picture").decode()}


async def asked(device: Device, count: int = 1) -> Sequence[TrialMessage]:
    return [TrialMessage.decode(sent.body) for sent in await device.hub.sent_to("trials", count)]


def answer(device: Device, ask: TrialMessage, *samples: float, parts: Sequence[Part] = (), **more: Any) -> None:
    """Play transform."""
    batch = f"trial{len(device.writer.batches)}"
    rows = [np.full(ask.input.sample_shape, sample, np.float32) for sample in samples]
    device.writer.write(batch, np.stack(rows))
    message = TrialBatchMessage(trial=ask.trial, batch=batch, parts=tuple(parts)).model_copy(update=more)
    device.hub.deliver("trials", message.encode())


async def test_a_file_is_prepared_by_transform_and_predicted(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    asking = asyncio.create_task(device.hub.invoke("predict", FILE))
    [ask] = await asked(device)
    assert (ask.input, ask.source) == (V1.input, OneFile(content=b"a picture"))
    answer(device, ask.model_copy(update={"trial": "another"}), -1)
    answer(device, ask, 1)
    status, body = await asking
    assert (status, body["model"]["version"]) == (200, "1")
    assert [row["label"] for row in body["predictions"]] == ["v1-bright"]
    assert not [sent for sent in device.hub.sent if sent.output in {"predictions", "rejects"}]


async def test_a_file_that_cannot_be_prepared_is_refused_in_transforms_words(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    asking = asyncio.create_task(device.hub.invoke("predict", FILE))
    [ask] = await asked(device)
    answer(device, ask, 1, batch=None, refusal="UNSUPPORTED: it is text/plain")
    assert await asking == (400, {"error": "UNSUPPORTED: it is text/plain"})


async def test_without_a_route_a_file_is_answered_in_time_and_says_what_to_look_at(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    asking = asyncio.create_task(device.hub.invoke("predict", FILE))
    [ask] = await asked(device)
    while not asking.done():
        await device.clock.advance(ANSWER_S)
    status, body = await asking
    assert status == 504
    assert "routes" in body["error"]
    answer(device, ask, 1)
    assert (await device.hub.invoke("ping"))[0] == 200


async def test_a_batch_that_is_gone_before_it_was_read_is_said(device: Device) -> None:
    await device.swap_to(device.pack(V1))
    asking = asyncio.create_task(device.hub.invoke("predict", FILE))
    [ask] = await asked(device)
    answer(device, ask, 1, batch="nowhere")
    assert (await asking)[0] == 504


@pytest.mark.parametrize("payload", [{"file": "no base64"}, {"file": 7}, {**FILE, "npy": ""}, {"file": FILE}])
async def test_what_is_no_file_is_not_asked_about(device: Device, payload: Any) -> None:
    await device.swap_to(device.pack(V1))
    assert (await device.hub.invoke("predict", payload))[0] == 400
    assert not [sent for sent in device.hub.sent if sent.output == "trials"]


async def shadowing(device: Device, made_by: Contract, **gate: float) -> TrialMessage:
    await device.swap_to(device.pack(V1, version="1"))
    device.desire(device.pack(made_by, version="2"), shadow=SHADOW, gate=gate)
    await device.hub.until_reported("model.state", "Shadow")
    return (await asked(device))[0]


async def both_answer(device: Device, ask: TrialMessage, served: float, tried: float, *, first: bool = False) -> None:
    """The active model and the candidate see the same four items, prepared otherwise."""
    before = len([sent for sent in device.hub.sent if sent.output == "predictions"])
    message = device.send(V1, *[served] * 4)
    if first:
        answer(device, ask, *[tried] * 4, parts=message.parts)
    await device.predictions(before + 1)
    if not first:
        answer(device, ask, *[tried] * 4, parts=message.parts)


@pytest.mark.parametrize("first", [True, False])
async def test_a_candidate_of_another_input_is_shadowed_on_batches_of_its_own(device: Device, *, first: bool) -> None:
    ask = await shadowing(device, V2, minAgreement=1.0)
    assert (ask.input, ask.source) == (V2.input, LiveShare(share=0.25))
    await both_answer(device, ask, served=1, tried=1, first=first)
    while device.hub.reported["model"]["active"]["version"] == "1":
        await device.clock.advance(0.5)
    await device.hub.until_reported("model.state", "Active")
    assert {each.model.version for each in await device.predictions()} == {"1"}
    assert not [sent for sent in device.hub.sent if sent.output == "hints"]


async def test_one_that_differs_never_serves_and_the_items_are_worth_a_hint(device: Device) -> None:
    ask = await shadowing(device, V2, minAgreement=0.9)
    await both_answer(device, ask, served=1, tried=-1)
    [sent] = await device.hub.sent_to("hints")
    hints = HintsMessage.decode(sent.body).hints
    served = [part.item for each in await device.predictions() for part in each.parts]
    assert [(hint.id, hint.attempt, hint.mark) for hint in hints] == [
        (item.id, item.attempt, Mark.DISAGREEMENT) for item in served
    ]
    while "code" not in device.hub.reported["model"].get("last", {}):
        await device.clock.advance(0.5)
    model = device.hub.reported["model"]
    assert (model["last"]["code"], model["active"]["version"]) == ("DISAGREEMENT", "1")
    assert not [sent for sent in device.hub.sent if sent.output == "rejects"]


async def test_one_that_fails_on_its_own_batches_never_serves(device: Device) -> None:
    ask = await shadowing(device, V2)
    await both_answer(device, ask, served=1, tried=99)
    while "code" not in device.hub.reported["model"].get("last", {}):
        await device.clock.advance(0.5)
    assert device.hub.reported["model"]["last"]["code"] == "ERROR_RATE"


async def test_a_trial_is_renewed_while_it_lasts_and_ends_by_itself(device: Device) -> None:
    ask = await shadowing(device, V2)
    assert ask.seconds == LEASE_S
    await device.clock.advance(RENEW_S)
    assert [each.trial for each in await asked(device, 2)] == [ask.trial] * 2
    while device.hub.reported["model"]["active"]["version"] == "1":
        await device.clock.advance(10)
    renewed = len(await asked(device))
    await device.clock.advance(10 * RENEW_S)
    assert len(await asked(device)) == renewed


TABLES = [
    tables.contract(window=4, step=4),
    tables.contract(window=4, step=4, batch=10),
    tables.contract(window=8, step=4),
]
"""The second cuts files as the first does, and the third otherwise."""


def table_model(device: Device, version: int) -> dict[str, Any]:
    made_for = TABLES[version - 1]
    return device.pack(made_for, version=str(version), model=onnx.load_from_string(tables.model(made_for)))


async def test_of_a_file_with_many_samples_the_first_are_predicted(device: Device) -> None:
    await device.swap_to(table_model(device, 1))
    asking = asyncio.create_task(device.hub.invoke("predict", FILE))
    [ask] = await asked(device)
    assert ask.input == TABLES[0].input
    answer(device, ask, 10, 90, more=True)
    status, body = await asking
    assert (status, body["more"]) == (200, True)
    assert [row["label"] for row in body["predictions"]] == ["quiet", "busy"]


def send_table(device: Device, name: str, load: float) -> Part:
    """One item of 70 samples, in two parts; the beginning of it, as the batch of a trial has it."""
    made_for, item = TABLES[0].input, device.item()
    device.writer.write(name, np.full((70, *made_for.sample_shape), load, np.float32))
    parts = (Part(item=item, last=False, first=0, rows=64), Part(item=item, part=1, first=64, rows=6))
    device.hub.deliver("tensors", TensorsMessage(batch=name, stamp=made_for.stamp, parts=parts).encode())
    return parts[0].model_copy(update={"rows": 5})


@pytest.mark.parametrize(("load", "code"), [(90, None), (10, "DISAGREEMENT")])
async def test_the_beginnings_of_live_tables_are_compared(device: Device, load: float, code: str | None) -> None:
    await device.swap_to(table_model(device, 1))
    device.desire(table_model(device, 2), shadow=SHADOW, gate={"minAgreement": 0.9})
    await device.hub.until_reported("model.state", "Shadow")
    [ask] = await asked(device)
    begun = [send_table(device, f"table{number}", 90) for number in range(4)]
    await device.predictions(4)
    tried = [part.model_copy(update={"first": 5 * number}) for number, part in enumerate(begun)]
    answer(device, ask, *[load] * 20, parts=tried)
    while device.hub.reported["model"]["state"] == "Shadow":
        await device.clock.advance(0.5)
    if code:
        await device.hub.until_reported("model.last.code", code)
    else:
        await device.hub.until_reported("model.active.version", "2")


async def test_a_candidate_that_takes_files_apart_otherwise_is_not_compared(
    device: Device, caplog: pytest.LogCaptureFixture
) -> None:
    await device.swap_to(table_model(device, 1))
    device.desire(table_model(device, 3), shadow=SHADOW, gate={"minAgreement": 1.0})
    await device.hub.until_reported("model.active.version", "3")
    assert "takes files apart otherwise" in caplog.text
    assert not [sent for sent in device.hub.sent if sent.output == "trials"]
