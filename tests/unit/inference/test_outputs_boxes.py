import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_common.messages import Frame
from edge_inference.outputs.boxes import corners, in_picture, keep, matching, overlaps
from edge_inference.session import Array

ONE = [0.0, 0.0, 2.0, 2.0]
HALF = [0.0, 0.0, 2.0, 1.0]
FAR = [5.0, 5.0, 6.0, 6.0]
EMPTY = [1.0, 1.0, 1.0, 1.0]

places = arrays(np.float64, (8, 4), elements=st.integers(0, 9))


@pytest.mark.parametrize(
    ("layout", "columns"), [("corners", [1, 2, 5, 8]), ("cornersYx", [2, 1, 8, 5]), ("center", [3, 5, 4, 6])]
)
def test_every_layout_says_the_same(layout: str, columns: list[int]) -> None:
    np.testing.assert_array_equal(corners(np.array([columns], float), layout), [[1, 2, 5, 8]])


def test_overlap_is_intersection_over_union() -> None:
    found = overlaps(np.array([ONE, EMPTY]), np.array([ONE, HALF, FAR, EMPTY]))
    np.testing.assert_allclose(found, [[1.0, 0.5, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0]])


def test_boxes_end_at_the_picture() -> None:
    letterbox = Frame(width=400, height=200, box=(0, -100, 400, 300))
    found = in_picture(np.array([[0.25, 0.25, 0.75, 0.75], [-1, 0, 2, 1]]), letterbox)
    np.testing.assert_allclose(found, [[100, 0, 300, 200], [0, 0, 400, 200]])


def test_the_best_of_a_class_stands_and_other_classes_do_not_matter() -> None:
    boxes, scores = np.array([HALF, ONE, ONE, FAR]), np.array([0.8, 0.9, 0.7, 0.6])
    assert keep(boxes, scores, np.array([0, 0, 1, 0]), 0.4, 10) == [1, 2, 3]
    assert keep(boxes, scores, np.array([0, 0, 1, 0]), 0.5, 10) == [1, 0, 2, 3]
    assert keep(boxes, scores, np.array([0, 0, 0, 0]), 1, 10) == [1, 0, 2, 3]
    assert keep(boxes, scores, np.array([0, 0, 1, 0]), 0.4, 2) == [1, 2]


@given(places, arrays(np.float64, 8, elements=st.floats(0, 1)), arrays(np.int64, 8, elements=st.integers(0, 2)))
def test_what_stands_overlaps_with_none_of_its_class_and_what_goes_with_a_better_one(
    ends: Array, scores: Array, classes: Array
) -> None:
    boxes = np.hstack([np.minimum(ends[:, :2], ends[:, 2:]), np.maximum(ends[:, :2], ends[:, 2:])])
    kept = keep(boxes, scores, classes, 0.3, 8)
    rivals = (overlaps(boxes, boxes) > 0.3) & (classes[:, None] == classes[None, :]) & ~np.eye(8, dtype=bool)
    assert not rivals[np.ix_(kept, kept)].any()
    for gone in {*range(8)} - {*kept}:
        assert any(rivals[gone, best] and scores[best] >= scores[gone] for best in kept)


@pytest.mark.parametrize(
    ("others", "labels", "expected"),
    [
        ([ONE, FAR], ["a", "b"], 1),
        ([HALF, FAR], ["a", "b"], 1),
        ([ONE, FAR], ["a", "a"], 0.5),
        ([ONE], ["a"], 2 / 3),
        ([ONE, ONE, ONE, FAR], ["a", "a", "a", "b"], 4 / 6),
        ([EMPTY], ["a"], 0),
        ([], [], 0),
    ],
)
def test_two_sets_agree_by_their_f1(others: list[list[float]], labels: list[str], expected: float) -> None:
    mine, theirs = np.array([ONE, FAR]), np.array(others).reshape(-1, 4)
    assert matching(mine, ["a", "b"], theirs, labels) == pytest.approx(expected)
    assert matching(theirs, labels, mine, ["a", "b"]) == pytest.approx(expected)


def test_two_that_see_nothing_agree() -> None:
    nothing = np.zeros((0, 4))
    assert matching(nothing, [], nothing, []) == 1
