"""One scene, as each of the common layouts gives it, becomes the same boxes in the picture."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edge_common.contract import Contract
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs import interpreter
from edge_upload.records import Layout, Record, columns_of
from support.detectors import detector, scene_graph
from support.inference import Device
from support.outputs import reader, rows
from support.upload import STAMP, item

LABELS = ["disc", "bar"]
PICTURE = Frame(width=80, height=40, box=(0, 0, 80, 40))  # the sample is 8 x 4
FOUND = {
    "label": "bar",
    "score": 0.9,
    "labels": ["bar", "disc"],
    "scores": [0.9, 0.5],
    "boxes": [[20, 10, 60, 30], [0, 0, 20, 20]],
}
# Candidates: the bar, the bar again but less sure, a disc, nothing.
CENTRES = np.array([[4, 2, 4, 2], [4, 2, 4, 1.8], [1, 1, 2, 2], [3, 3, 1, 1]])
SCORES = np.array([[0.1, 0.9], [0.2, 0.8], [0.5, 0.1], [0.1, 0.2]])
CORNERS = np.hstack([CENTRES[:, :2] - CENTRES[:, 2:] / 2, CENTRES[:, :2] + CENTRES[:, 2:] / 2])
SHARES = CORNERS / [8, 4, 8, 4]
BEST = SCORES.max(axis=1)
CLASS = SCORES.argmax(axis=1)
OUT = {"name": "out"}


def by_class(**columns: Any) -> dict[str, Any]:
    return {"boxes": {"name": "boxes"}, "scores": {"name": "scores"}, "classes": {"name": "classes"}, **columns}


LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "yolo8": (
        {
            "boxes": OUT | {"transposed": True},
            "scores": OUT | {"transposed": True, "first": 4},
            "format": "center",
        },
        {"out": np.hstack([CENTRES, SCORES]).T[None]},
    ),
    "yolo5": (
        {"boxes": OUT, "objectness": OUT | {"first": 4}, "scores": OUT | {"first": 5}, "format": "center"},
        {"out": np.hstack([CENTRES, np.full((4, 1), 0.5), 2 * SCORES])[None]},
    ),
    "yolo10": (
        {"boxes": OUT, "scores": OUT | {"first": 4}, "classes": OUT | {"first": 5}, "format": "corners"},
        {"out": np.hstack([CORNERS, BEST[:, None], CLASS[:, None]])[None]},
    ),
    "ssd of TensorFlow": (
        by_class(format="cornersYx", units="share", firstClass=1),
        {"boxes": SHARES[None][..., [1, 0, 3, 2]], "scores": BEST[None], "classes": CLASS[None] + 1},
    ),
    "ssd with a background": (
        {"boxes": {"name": "boxes"}, "scores": {"name": "scores", "first": 1}, "format": "corners", "units": "share"},
        {"boxes": SHARES[None], "scores": np.hstack([np.full((4, 1), 0.95), SCORES])[None]},
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same(layout: str) -> None:
    described, values = LAYOUTS[layout]
    under = reader(kind="detection", labels=LABELS, **described)
    assert rows(under, PICTURE, **values) == [FOUND]


def test_boxes_of_a_letterboxed_sample_are_in_the_pictures_pixels() -> None:
    described, values = LAYOUTS["yolo8"]
    tall = Frame(width=200, height=400, box=(-300, 0, 500, 400))
    [row] = rows(reader(kind="detection", labels=LABELS, **described), tall, **values)
    assert row["boxes"] == [[0, 100, 200, 300], [0, 0, 0, 200]]


def test_without_a_picture_boxes_are_in_the_samples_pixels() -> None:
    described, values = LAYOUTS["ssd of TensorFlow"]
    [row] = rows(reader(kind="detection", labels=LABELS, **described), **values)
    assert row["boxes"][0] == [2, 1, 6, 3]


def test_nothing_is_found_where_nothing_is_sure_and_the_columns_stay() -> None:
    described, values = LAYOUTS["yolo8"]
    under = reader(kind="detection", labels=LABELS, minScore=0.95, alerts=["bar"], **described)
    [row] = rows(under, PICTURE, **values)
    assert row == {"label": None, "score": None, "labels": [], "scores": [], "boxes": [], "alert": False}
    full = rows(reader(kind="detection", labels=LABELS, alerts=["bar"], **described), PICTURE, **values)
    assert {*stored(under.columns, row)} == {*stored(under.columns, *full)}


def stored(columns: Any, *predictions: Any) -> tuple[tuple[str, str], ...]:
    """The columns that upload gives them."""
    record = Record(
        item=item(),
        part=0,
        rows=len(predictions),
        kind="detection",
        stamp=STAMP,
        predictions=predictions,
        columns=columns,
    )
    return Layout(columns=columns_of(record)).columns


def test_an_alert_comes_before_what_is_surer() -> None:
    described, values = LAYOUTS["yolo8"]
    [row] = rows(reader(kind="detection", labels=LABELS, alerts=["disc"], **described), PICTURE, **values)
    assert (row["alert"], row["label"], row["score"]) == (True, "disc", 0.5)
    [row] = rows(reader(kind="detection", labels=LABELS, alerts=["bar"], most=1, **described), PICTURE, **values)
    assert (row["alert"], row["labels"]) == (True, ["bar"])


def test_classes_without_a_label_are_nothing() -> None:
    described, values = LAYOUTS["ssd of TensorFlow"]
    [row] = rows(reader(kind="detection", labels=["disc"], **described), PICTURE, **values)
    assert row["labels"] == ["disc"]


def test_models_agree_by_their_boxes_and_drift_shows_in_count_and_score() -> None:
    described, values = LAYOUTS["yolo8"]
    under = reader(kind="detection", labels=LABELS, **described)
    [row] = rows(under, PICTURE, **values)
    nothing: dict[str, Any] = {"labels": [], "scores": [], "boxes": []}
    assert (under.agree(row, row), under.agree(row, nothing), under.agree(nothing, nothing)) == (1, 0, 1)
    np.testing.assert_allclose(under.measure([row, nothing]), [[2.0, 0.9], [0.0, 0.0]])


@pytest.mark.parametrize("shape", [(None, 5, 4), (None,), (None, 6), (None, 6, 4, 1), ()])
def test_shapes_that_do_not_fit(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        reader(kind="detection", labels=LABELS, **LAYOUTS["yolo8"][0]).check({"out": shape})


def test_shapes_that_contradict_each_other_do_not_fit() -> None:
    under = reader(kind="detection", labels=LABELS, **LAYOUTS["ssd of TensorFlow"][0])
    under.check({"boxes": (None, 9, 4), "scores": (None, 9), "classes": (None, "n")})
    with pytest.raises(ContractMismatchError, match="same number"):
        under.check({"boxes": (None, 9, 4), "scores": (None, 9), "classes": (None, 8)})


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValidationError):
        reader(kind="detection", labels=LABELS, alerts=["cube"], **LAYOUTS["yolo8"][0])
    table = {"kind": "tensor", "shape": [8]}
    output = {"kind": "detection", "labels": LABELS, **LAYOUTS["yolo8"][0]}
    with pytest.raises(ContractMismatchError, match="pictures"):
        interpreter(Contract.model_validate({"schema": 1, "input": table, "output": output}))


async def test_the_module_gives_boxes_in_the_picture_and_tells_routes(device: Device) -> None:
    made_by = detector(alerts=("bar",))
    await device.swap_to(device.pack(made_by, model=scene_graph()))
    device.send(made_by, 1, 2, frames=(Frame(width=400, height=800, box=(0, 0, 400, 800)),))
    [message] = await device.predictions()
    assert [part.predictions[0]["boxes"] for part in message.parts] == [[[100, 200, 300, 600]]] * 2
    [sent] = await device.hub.sent_to("predictions")
    assert (sent.properties["alert"], sent.properties["label"], sent.properties["score"]) == ("true", "bar", "0.9")
