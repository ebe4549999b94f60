"""Routes can test what a model says, as edgeHub evaluates them."""

import json
from typing import Any

import pytest

from edge_common.contract import Contract
from edge_common.messages import PredictionsMessage
from edge_inference.engine import MOST_BYTES
from edge_inference.routing import Verdict, verdict
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.model import Message
from edge_simulator.routing.route import Route
from support.inference import Device
from support.models import contract, graph

ALERTS = "FROM /messages/modules/inference/outputs/predictions WHERE alert = 'true' INTO $upstream"
SURE = "FROM /messages/modules/inference/outputs/predictions WHERE as_number(score) > 4 INTO $upstream"


def contract_of(**output: Any) -> Contract:
    """One whose graph gives ``mean`` negated, and ``mean`` where it has two outputs."""
    return Contract.model_validate({"schema": 1, "input": contract().input, "output": output})


ODD = contract_of(kind="anomaly", threshold=-3)


async def taken(device: Device, text: str, messages: int) -> list[list[dict[str, Any]]]:
    """The predictions of the messages that a route takes."""
    route = Route.compile(parse_route(text))
    sent = await device.hub.sent_to("predictions", messages)
    return [
        [dict(row) for part in PredictionsMessage.decode(each.body).parts for row in part.predictions]
        for each in sent
        if route.matches(
            Message("/messages/modules/inference/outputs/predictions", dict(each.properties), {}, each.body)
        )
    ]


async def test_a_route_takes_alerts_and_nothing_else(device: Device) -> None:
    await device.swap_to(device.pack(ODD, model=graph(classes=1)))
    device.send(ODD, 1, 5, 3, 2)
    assert await taken(device, ALERTS, 2) == [[{"score": score, "alert": True} for score in (-1.0, -3.0, -2.0)]]


async def test_alerts_of_two_labels_are_told_apart(device: Device) -> None:
    made_by = contract_of(kind="classification", labels=["dark", "bright"], topK=1, alerts=["dark", "bright"])
    await device.swap_to(device.pack(made_by))
    device.send(made_by, 1, -5, 2)
    dark = ALERTS.replace("alert = 'true'", "label = 'dark' AND alert = 'true'")
    [[row]] = await taken(device, dark, 2)
    assert (row["label"], row["score"]) == ("dark", 5)
    [[row]] = await taken(device, SURE, 2)
    assert row["label"] == "dark"


async def test_where_nothing_can_be_an_alert_nothing_is_said_of_it(device: Device) -> None:
    made_by = contract()
    await device.swap_to(device.pack(made_by))
    device.send(made_by, 1, -5)
    [sent] = await device.hub.sent_to("predictions")
    about = {"kind": "classification", "model": "teller", "version": "1"}
    assert sent.properties == {**about, "score": "5"}


async def test_one_that_no_message_holds_is_rejected_and_harms_no_other(device: Device) -> None:
    long = contract_of(kind="classification", labels=["dark", "b" * MOST_BYTES], topK=1)
    await device.swap_to(device.pack(long))
    device.send(long, -1, 1)
    [message] = await device.predictions()
    assert [part.predictions[0]["label"] for part in message.parts] == ["dark"]
    [reject] = await device.rejects()
    assert (reject.code, reject.retryable) == ("PREDICTION_TOO_LARGE", False)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], Verdict(None, None, None)),
        ([{"label": "a", "score": 0.5}, {"label": "b", "score": 0.7}], Verdict(None, None, 0.7)),
        (
            [{"alert": False, "score": 9.0}, {"alert": True, "score": 1.0, "label": "a"}],
            Verdict(alert=True, label="a", score=1.0),
        ),
        ([{"alert": False, "label": None, "score": None}], Verdict(alert=False, label=None, score=None)),
        ([{"alert": [1.0], "label": [2.0], "score": [3.0]}], Verdict(None, None, None)),
    ],
)
def test_rows_say_together(rows: list[dict[str, Any]], expected: Verdict) -> None:
    assert verdict(rows) == expected


def test_properties_are_texts() -> None:
    assert Verdict(alert=True, label="a", score=1 / 3).properties == {
        "alert": "true",
        "label": "a",
        "score": "0.333333",
    }
    assert json.dumps(dict(Verdict(None, None, None).properties)) == "{}"
