from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edge_common.contract import Contract
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs import interpreter
from edge_inference.outputs.masks import decode
from support.outputs import reader, rows

LABELS = ["ground", "crack", "rust"]
UNDER = reader(kind="segmentation", labels=LABELS, background=["ground"], alerts=["crack"])
CLASSES = np.array([[0, 0, 2, 2], [0, 1, 2, 2]])
SCORES = np.stack([np.where(number == CLASSES, 0.8, 0.1) for number in range(3)])
PICTURE = Frame(width=80, height=40, box=(0, -20, 80, 60))


@pytest.mark.parametrize("given", [SCORES, CLASSES])
def test_scores_and_maps_of_classes_give_the_same(given: Any) -> None:
    [row] = rows(UNDER, PICTURE, output=given[None])
    masks = dict(zip(row["labels"], row["masks"], strict=True))
    assert {key: row[key] for key in row if key != "masks"} == {
        "label": "crack",
        "score": 0.125,
        "labels": ["rust", "crack"],
        "shares": [0.5, 0.125],
        "size": [2, 4],
        "box": [0, -20, 80, 60],
        "alert": True,
    }
    np.testing.assert_array_equal(decode(masks["rust"], (2, 4)), CLASSES == 2)
    np.testing.assert_array_equal(decode(masks["crack"], (2, 4)), CLASSES == 1)


def test_with_a_threshold_a_pixel_may_be_of_several_classes() -> None:
    under = reader(kind="segmentation", labels=["wet", "hot"], threshold=0.5)
    [row] = rows(under, output=[[[[0.5, 0.4]], [[0.9, 0.6]]]])
    assert (row["labels"], row["shares"], row["box"]) == (["hot", "wet"], [1.0, 0.5], [0, 0, 8, 4])


def test_what_covers_little_is_not_told() -> None:
    under = reader(kind="segmentation", labels=LABELS, background=["ground"], alerts=["crack"], minShare=0.2)
    [row] = rows(under, output=CLASSES[None])
    assert (row["labels"], row["label"], row["alert"]) == (["rust"], "rust", False)
    [row] = rows(under, output=np.zeros((1, 2, 4)))
    assert (row["labels"], row["label"], row["score"], row["alert"]) == ([], None, None, False)


def test_models_agree_by_the_overlap_of_each_label() -> None:
    moved = np.roll(CLASSES, 1, axis=1)
    one, other, nothing = rows(UNDER, output=[CLASSES, moved, np.zeros((2, 4))])
    assert (UNDER.agree(one, one), UNDER.agree(one, nothing), UNDER.agree(nothing, nothing)) == (1, 0, 1)
    assert UNDER.agree(one, other) == pytest.approx((2 / 6 + 0) / 2)
    [small] = rows(UNDER, output=CLASSES[None, :, :2])
    assert UNDER.agree(one, small) == 0


def test_drift_shows_in_the_share_of_each_label() -> None:
    assert [*UNDER.features] == ["share_crack", "share_rust"]
    found = UNDER.measure(rows(UNDER, output=[CLASSES, np.zeros((2, 4))]))
    np.testing.assert_allclose(found, np.array([[0.125, 0.5], [0, 0]]))


@pytest.mark.parametrize("shape", [(None, 2, 8, 8), (None, 8), (None, 3, 8, 8, 1), ()])
def test_shapes_that_do_not_fit(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        UNDER.check({"output": shape})


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValidationError):
        reader(kind="segmentation", labels=LABELS, alerts=["hole"])
    halves = {"input": {"kind": "tensor", "shape": [8]}, "output": {"kind": "segmentation", "labels": LABELS}}
    with pytest.raises(ContractMismatchError, match="pictures"):
        interpreter(Contract.model_validate({"schema": 1, **halves}))
