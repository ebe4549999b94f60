from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime

import numpy as np
import pytest

from edge_common.errors import BatchGoneError, BatchTornError, ItemError
from edge_common.messages import Item, Part
from edge_inference.answers import Answer, answer, reject
from edge_inference.errors import LoadFailedError, RunFailedError
from edge_inference.session import Array
from support.models import contract
from support.sessions import FakeSession, fake_model

V1 = contract("v1", side=2)


def part(number: int, first: int, rows: int = 1) -> Part:
    item = Item(
        id=f"{number:032x}",
        path="a.png",
        sha256="0" * 64,
        size=1,
        captured=datetime(2026, 1, 1, tzinfo=UTC),
        date=date(2026, 1, 1),
        attempt=1,
    )
    return Part(item=item, first=first, rows=rows)


def batch(*samples: float) -> Array:
    return np.array(samples, np.float32)[:, None, None, None] * np.ones(V1.input.sample_shape, np.float32)


def score(samples: Array) -> Array:
    """Zero is bad luck for the whole run; what is negative gives NaN."""
    first = samples[:, 0, 0, 0]
    if (first == 0).any():
        raise RunFailedError("division by zero")
    return np.stack([np.sqrt(np.where(first < 0, np.nan, first)), np.zeros_like(first)], axis=1)


def run(rows: Array, parts: Sequence[Part], compute: Callable[[Array], Array] = score) -> tuple[Answer, FakeSession]:
    session = FakeSession(V1, compute)
    return answer(fake_model(V1, session), lambda: rows, parts), session


def ids(answered: Answer) -> tuple[list[int], list[tuple[int, str]]]:
    return (
        [int(each.item.id, 16) for each in answered.predicted],
        [(int(each.id, 16), each.code) for each in answered.rejects],
    )


def test_each_part_gets_its_own_rows() -> None:
    answered, session = run(batch(1, 4, 9), [part(1, 0, 2), part(2, 2)])
    assert [[row["score"] for row in each.predictions] for each in answered.predicted] == [[1.0, 2.0], [3.0]]
    assert session.sizes == [3]
    assert not answered.rejects


def test_a_culprit_is_found_and_harms_nobody() -> None:
    answered, _ = run(batch(1, 0, 9), [part(1, 0), part(2, 1), part(3, 2)])
    assert ids(answered) == ([1, 3], [(2, "RUN_FAILED")])
    assert not answered.rejects[0].retryable


def test_nan_is_no_prediction() -> None:
    answered, session = run(batch(1, -1, 9), [part(1, 0), part(2, 1), part(3, 2)])
    assert ids(answered) == ([1, 3], [(2, "BAD_OUTPUT")])
    assert session.sizes == [3]


def test_infinity_is_no_prediction() -> None:
    answered, _ = run(batch(1), [part(1, 0)], lambda rows: np.full((len(rows), 2), np.inf, np.float32))
    assert ids(answered) == ([], [(1, "BAD_OUTPUT")])


@pytest.mark.parametrize(
    "compute",
    [
        lambda rows: np.zeros((len(rows) + 1, 2), np.float32),
        lambda rows: np.zeros((len(rows), 3), np.float32),
        lambda rows: np.zeros((len(rows), 2, 1), np.float32),
    ],
)
def test_an_output_of_another_shape_is_a_failed_run(compute: Callable[[Array], Array]) -> None:
    answered, _ = run(batch(1), [part(1, 0)], compute)
    assert ids(answered) == ([], [(1, "RUN_FAILED")])


@pytest.mark.parametrize(
    "rows",
    [
        np.zeros((1, 1, 2, 3), np.float32),
        np.zeros((1, 3, 2, 2), np.float32),
        np.zeros((1, 1, 2, 2), np.float64),
        np.zeros((1, 1, 2, 2), np.uint8),
        np.zeros((1, 4), np.float32),
        np.zeros((), np.float32),
        np.zeros((0, 1, 2, 2), np.float32),
    ],
)
def test_a_batch_that_does_not_fit_the_contract_is_refused(rows: Array) -> None:
    answered, session = run(rows, [part(1, 0)])
    assert ids(answered) == ([], [(1, "CONTRACT_MISMATCH")])
    assert not answered.rejects[0].retryable
    assert not session.sizes


@pytest.mark.parametrize(("error", "code"), [(BatchGoneError("b"), "BATCH_GONE"), (BatchTornError("b"), "BATCH_TORN")])
def test_a_batch_that_cannot_be_read_is_worth_another_try(error: Exception, code: str) -> None:
    def read() -> Array:
        raise error

    answered = answer(fake_model(V1, FakeSession(V1, score)), read, [part(1, 0), part(2, 1)])
    assert ids(answered) == ([], [(1, code), (2, code)])
    assert all(each.retryable for each in answered.rejects)


def test_a_reject_keeps_to_its_limits() -> None:
    [verdict] = reject([part(1, 0)], ItemError("ANY", "x" * 5000, can_retry=True)).rejects
    assert len(verdict.message) == 2000
    assert verdict.stage == "inference"


def test_a_graph_of_batch_one_runs_row_by_row() -> None:
    session = FakeSession(V1, score, rows=1)
    answered = answer(fake_model(V1, session), lambda: batch(1, 4), [part(1, 0, 2)])
    assert [row["score"] for row in answered.predicted[0].predictions] == [1.0, 2.0]
    assert session.sizes == [1, 1]


def test_warming_up_runs_one_and_a_full_batch() -> None:
    session = FakeSession(V1, lambda rows: np.zeros((len(rows), 2), np.float32))
    fake_model(V1, session).warm_up()
    assert session.sizes == [1, V1.input.batch]


def test_a_model_that_does_not_run_cannot_be_warmed_up() -> None:
    with pytest.raises(LoadFailedError):
        fake_model(V1, FakeSession(V1, score)).warm_up()
