import asyncio
import json
from typing import Any

import numpy as np
import pytest

from edge_common.messages import DriftAlert, Mark
from edge_inference.drift.reference import Reference, reference
from support.inference import Device
from support.models import contract

V1 = contract("v1", activation="softmax")
V2 = contract("v2", activation="softmax")
SETTINGS = {"driftRows": 100, "driftMinRows": 50, "driftSeconds": 1000}
USUAL = np.linspace(-1, 1, 50)


def usual(made_by: Any = V1, values: Any = USUAL) -> Reference:
    samples = np.asarray(values[:, None, None, None] * np.ones((1, *made_by.input.sample_shape)), np.float32)
    return reference(made_by, [(samples, np.stack([-values, values], axis=1))])


async def serve(device: Device, made_by: Any = V1, **more: Any) -> None:
    device.hub.edit_twin(SETTINGS)
    await device.swap_to(device.pack(made_by, drift=usual(made_by), **more))
    await device.clock.advance(1)


async def see(device: Device, values: Any, made_by: Any = V1, *, good: int | None = None) -> None:
    """Send a batch, and wait until it is in the window, and was looked at."""
    before = device.metric("drift_compared_rows_total") or 0
    device.send(made_by, *values)
    while device.metric("drift_compared_rows_total") != before + (len(values) if good is None else good):
        await asyncio.sleep(0)
    await device.clock.advance(1)


async def fill(device: Device, values: Any) -> None:
    """Let the window hold nothing else."""
    for _ in range(3):
        await see(device, values)


def alerts(device: Device) -> list[tuple[str, str, str]]:
    """State, cause and version of the alerts so far."""
    sent = [message for message in device.hub.sent if message.output == "alerts"]
    decoded = [DriftAlert.decode(message.body) for message in sent]
    return [(alert.state, alert.cause, alert.model.version) for alert in decoded]


def state(device: Device) -> Any:
    return device.hub.reported["drift"]["state"]


async def test_drift_is_told_once_when_it_starts_and_once_when_it_ends(device: Device) -> None:
    await serve(device)
    assert state(device) == "collecting"
    await see(device, USUAL)
    assert (state(device), alerts(device)) == ("stable", [])
    await fill(device, USUAL + 5)
    await fill(device, USUAL + 5)
    assert (state(device), alerts(device)) == ("drift", [("started", "input", "1")])
    assert device.metric("drift_active") == 1
    await fill(device, USUAL)
    await fill(device, USUAL)
    assert (state(device), device.metric("drift_active")) == ("stable", 0)
    assert alerts(device) == [("started", "input", "1"), ("ended", "input", "1")]


async def test_the_alert_says_what_drifted_and_how_far(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    [sent] = await device.hub.sent_to("alerts")
    assert sent.properties == {"kind": "alert", "alert": "drift", "state": "started", "model": "teller", "version": "1"}
    alert = DriftAlert.decode(sent.body)
    worst = alert.features[0]
    assert (worst.name, worst.ks) == ("score", 0.92)
    assert worst.psi == device.metric("drift_psi", feature="score")
    assert [each.psi for each in alert.features] == sorted((each.psi for each in alert.features), reverse=True)
    assert alert.since == alert.at


async def test_what_comes_while_the_input_drifts_is_marked(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    await see(device, USUAL)
    marks = [part.marks for message in await device.predictions() for part in message.parts]
    assert marks == [()] * 50 + [(Mark.DRIFT,)] * 50


async def test_a_number_that_hovers_at_the_threshold_does_not_flap(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    found = device.metric("drift_ks", feature="mean_L")
    assert found is not None
    for above, share in enumerate((0.99, 1.01, 0.99, 1.01)):
        device.hub.edit_twin({"driftKs": min(found * share, 1), "driftPsi": 1000 + above})
        await device.clock.advance(2)
        assert alerts(device) == [("started", "input", "1")]


async def test_too_few_rows_say_nothing(device: Device) -> None:
    await serve(device)
    await see(device, USUAL[:49] + 5)
    assert (state(device), alerts(device)) == ("collecting", [])
    await see(device, USUAL[:1] + 5)
    assert (state(device), alerts(device)) == ("drift", [("started", "input", "1")])


async def test_silence_is_no_sign_that_drift_has_ended(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    await device.clock.advance(1100)
    assert (device.metric("drift_rows"), state(device), len(alerts(device))) == (0, "drift", 1)


async def test_another_model_starts_afresh_with_its_own_reference(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    await device.swap_to(device.pack(V2, version="2", drift=usual(V2, USUAL + 5)))
    await device.clock.advance(2)
    assert (state(device), device.metric("drift_rows")) == ("collecting", 0)
    assert alerts(device) == [("started", "input", "1"), ("ended", "model", "1")]
    await see(device, USUAL + 5, V2)
    assert (state(device), len(alerts(device))) == ("stable", 2)


async def test_a_model_without_a_reference_is_not_watched_and_that_is_said(device: Device) -> None:
    device.hub.edit_twin(SETTINGS)
    await device.swap_to(device.pack(V1))
    device.send(V1, *(USUAL + 5))
    await device.predictions()
    await device.clock.advance(5)
    told = device.hub.reported["drift"]
    assert (told["state"], told["model"]) == ("off", device.hub.reported["model"]["active"]["digest"])
    assert (told["since"], told["features"]) == (None, None)
    assert (device.metric("drift_rows"), alerts(device)) == (0, [])


async def test_a_crash_in_the_middle_of_drift_tells_of_it_neither_twice_nor_never_again(device: Device) -> None:
    await serve(device)
    await see(device, USUAL + 5)
    await device.hub.sent_to("alerts")
    await device.crash(lambda: None)
    await see(device, [0])
    [answer] = await device.predictions()
    assert answer.parts[0].marks == (Mark.DRIFT,)
    assert (state(device), alerts(device)) == ("drift", [])
    await see(device, USUAL + 5)
    assert (state(device), alerts(device)) == ("drift", [])
    await fill(device, USUAL)
    assert (state(device), alerts(device)) == ("stable", [("ended", "input", "1")])
    await device.restart()
    await device.hub.until_reported("model.active.version", "1")
    await device.clock.advance(2)
    assert (state(device), alerts(device)) == ("collecting", [])


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00"])
async def test_a_damaged_note_of_drift_harms_nobody(device: Device, content: bytes) -> None:
    await serve(device)
    await device.stop()
    (device.state / "drift.json").write_bytes(content)
    await device.start()
    await see(device, USUAL)
    assert (state(device), alerts(device)) == ("stable", [])


async def test_new_numbers_are_told_from_time_to_time_only(device: Device) -> None:
    await serve(device)
    await see(device, USUAL)
    told = json.dumps(device.hub.reported["drift"])
    await see(device, [*USUAL[:40], *[0.9] * 10])
    assert json.dumps(device.hub.reported["drift"]) == told
    await device.clock.advance(60)
    assert json.dumps(device.hub.reported["drift"]) != told


async def test_items_that_were_rejected_do_not_count(device: Device) -> None:
    await serve(device)
    await see(device, [0.5, -99, 0.25], good=2)
    assert [verdict.code for verdict in await device.rejects()] == ["BAD_OUTPUT"]


async def test_fewer_rows_in_the_window_than_are_wanted_for_a_verdict_are_refused(device: Device) -> None:
    device.hub.edit_twin({"driftRows": 100, "driftMinRows": 101})
    await device.hub.until_reported("config.status", "refused")
    assert "driftMinRows" in device.hub.reported["config"]["errors"][0]["message"]
