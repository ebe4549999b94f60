"""The whole suite, as ``make run`` starts it, while the light changes."""

import base64
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edge_common.messages import DriftAlert, Mark, PredictedPart, PredictionsMessage
from edge_examples.drops import Drop
from edge_simulator.control.client import ControlClient
from support.suite import Plant

pytestmark = pytest.mark.system

BRIGHTER = 60
SETTINGS = {"driftRows": 100, "driftMinRows": 60, "driftPsi": 1.0, "driftKs": 0.6}


def lit(drop: Drop) -> Drop:
    """The same picture, with more light."""
    picture = Image.open(io.BytesIO(drop.content)).convert("RGB").point(lambda value: min(255, value + BRIGHTER))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return replace(drop, path=f"lit/{drop.path}.png", content=file.getvalue(), label=None)


def again(drops: Sequence[Drop]) -> list[Drop]:
    return [replace(drop, path=f"again/{drop.path}") for drop in drops]


async def upstream(events: AsyncIterator[dict[str, Any]], kind: str) -> tuple[dict[str, str], bytes]:
    """The next message of a kind that reaches IoT Hub."""
    async for event in events:
        if event["kind"] == "message" and event["properties"].get("kind") == kind:
            return event["properties"], base64.b64decode(event["body"])
    raise AssertionError("the simulator has ended")


def predicted(message: tuple[dict[str, str], bytes]) -> Sequence[PredictedPart]:
    return PredictionsMessage.decode(message[1]).parts


async def test_drift_is_told_upstream_reported_and_cleared_and_an_outage_loses_no_alert(tmp_path: Path) -> None:
    plant = Plant.build(tmp_path, 120)
    async with plant.running() as suite, ControlClient.connect(plant.folders.state) as control:

        async def until_drift_is(state: str) -> None:
            while (await suite.reported("inference", "drift") or {}).get("state") != state:
                await suite.pause()

        async with control.events() as events:
            await suite.edit_twin("inference", SETTINGS)
            await suite.swap(plant.models[0].desired())
            await plant.feed(plant.drops)
            await until_drift_is("stable")

            await control.inject_fault("upstream", "", "down", 120)
            await plant.feed([lit(drop) for drop in plant.drops])
            await until_drift_is("drift")
            drift = await suite.reported("inference", "drift")
            assert drift["features"][0]["name"] == "mean_L"
            await control.lift_fault("upstream")

            properties, body = await upstream(events, "alert")
            alert = DriftAlert.decode(body)
            assert properties == {
                "kind": "alert",
                "alert": "drift",
                "state": "started",
                "model": "digits",
                "version": "1.0.0",
            }
            assert (alert.state, alert.cause, alert.features[0].name) == ("started", "input", "mean_L")

            await plant.feed(again(plant.drops))
            while not any(part.marks == (Mark.DRIFT,) for part in predicted(await upstream(events, "classification"))):
                pass
            await until_drift_is("stable")
            properties, body = await upstream(events, "alert")
            assert (properties["state"], DriftAlert.decode(body).since) == ("ended", alert.since)
