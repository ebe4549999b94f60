from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edge_common.contract import ClassificationOutput
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.classification import Classification, softmax
from edge_inference.outputs.kind import Row
from edge_inference.session import Array

LABELS = ("zero", "one", "two")
NOWHERE = [None] * 9


def read(output: ClassificationOutput, values: Array) -> Sequence[Row]:
    return Classification(output).interpret({"output": values}, NOWHERE[: len(values)])


logits = arrays(np.float32, (3, 4), elements=st.floats(width=32, allow_nan=False, allow_infinity=False))


@given(logits)
def test_softmax_gives_probabilities_without_overflow(values: Array) -> None:
    scores = softmax(values)
    assert scores.dtype == np.float32
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)
    winners = values.argmax(axis=1, keepdims=True)
    assert (np.take_along_axis(scores, winners, axis=1) == scores.max(axis=1, keepdims=True)).all()


def test_the_best_classes_come_first_and_ties_keep_their_order() -> None:
    output = ClassificationOutput(labels=LABELS, top_k=2)
    rows = read(output, np.array([[0.1, 0.7, 0.2], [0.5, 0.5, 0.0]], np.float32))
    assert rows == [
        {"label": "one", "score": 0.7, "labels": ["one", "two"], "scores": [0.7, 0.2]},
        {"label": "zero", "score": 0.5, "labels": ["zero", "one"], "scores": [0.5, 0.5]},
    ]


def test_logits_become_probabilities_where_the_contract_says_so() -> None:
    output = ClassificationOutput(labels=LABELS, activation="softmax", top_k=1)
    [row] = read(output, np.log(np.array([[0.25, 0.5, 0.25]], np.float64)))
    assert row == {"label": "one", "score": 0.5, "labels": ["one"], "scores": [0.5]}


def test_no_more_classes_are_named_than_there_are() -> None:
    [row] = read(ClassificationOutput(labels=LABELS, top_k=10), np.zeros((1, 3), np.float32))
    assert len(row["labels"]) == 3


@pytest.mark.parametrize("shape", [(None, 3), ("batch", 3), (1, "classes"), (1, None)])
def test_shapes_that_fit(shape: tuple[int | str | None, ...]) -> None:
    Classification(ClassificationOutput(labels=LABELS)).check({"output": shape})


@pytest.mark.parametrize("shape", [(), (3,), (None, 2), (None, 3, 1), (None, 4)])
def test_shapes_that_do_not_fit(shape: tuple[int | str | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        Classification(ClassificationOutput(labels=LABELS)).check({"output": shape})
