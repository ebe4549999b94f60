"""Whose turn it is, when a run begins, what goes into it, and how what shares it is told apart again."""

from collections.abc import Mapping, Sequence
from math import inf

import numpy as np
import pytest

from edge_inference.batching.policy import FILL_S, Limits, take, wait
from edge_inference.batching.runs import Ask, Asking, Work, alone, together
from edge_inference.batching.turns import Source, Turns, Waiting
from edge_inference.errors import RunFailedError
from edge_inference.model import LoadedModel
from edge_inference.session import Array
from support.models import contract
from support.sessions import FakeSession, fake_model

V1 = contract("v1", side=2)
ROUTES = Source("routes")


def http(name: str) -> Source:
    return Source("http", name)


def turns(*waiting: tuple[Source, int], since: float = 0.0) -> Turns[str]:
    made = Turns[str]()
    for number, (source, rows) in enumerate(waiting):
        made.put(Waiting(source, rows, since, inf, f"{source.name or source.side}{number}"))
    return made


def order(made: Turns[str]) -> str:
    found = []
    while made:
        found.append(made.pop().work.rstrip("0123456789"))
    return " ".join(found)


def test_who_sends_much_waits_behind_who_sends_little() -> None:
    assert order(turns(*[(http("a"), 1)] * 4, *[(http("b"), 1)] * 2)) == "a b a b a a"


def test_a_turn_counts_by_its_samples() -> None:
    assert order(turns(*[(http("a"), 4)] * 2, *[(http("b"), 1)] * 6)) == "a b b b b a b b"


def test_the_routes_have_their_half_however_many_clients_there_are() -> None:
    clients = [(http(name), 1) for name in "abcd"]
    assert order(turns(*clients, *[(ROUTES, 1)] * 4)) == "a routes b routes c routes d routes"


def test_who_was_away_has_no_turns_saved_up_and_no_debts_left() -> None:
    made = turns(*[(http("a"), 1)] * 6)
    assert [made.pop().source.name for _ in range(3)] == ["a"] * 3
    for _ in range(3):
        made.put(Waiting(http("b"), 1, 0.0, inf, "b"))
    assert order(made) == "b a b a b a"


def test_samples_that_wait_are_counted() -> None:
    made = turns((ROUTES, 16), (http("a"), 2))
    assert made.rows == 18
    made.pop()
    assert made.rows == 2


def test_an_idle_device_never_waits() -> None:
    assert wait(turns((ROUTES, 1)), 0, Limits(2, 16), 0.0) == 0.0


def test_a_busy_device_waits_for_a_full_run_but_not_long() -> None:
    limits = Limits(2, 16)
    assert wait(turns((ROUTES, 15)), 1, limits, 0.0) == FILL_S
    assert wait(turns((ROUTES, 15)), 1, limits, FILL_S) == 0.0
    assert wait(turns((ROUTES, 15), (http("a"), 1)), 1, limits, 0.0) == 0.0


@pytest.mark.parametrize("batch", [0, 1])
def test_where_nothing_is_joined_nothing_waits_to_be(batch: int) -> None:
    assert wait(turns((ROUTES, 1)), 1, Limits(2, batch), 0.0) == 0.0


def test_there_are_no_more_runs_than_callers_and_none_for_nothing() -> None:
    assert wait(turns((ROUTES, 1)), 2, Limits(2, 1), 9.0) is None
    assert wait(Turns[str](), 0, Limits(2, 1), 9.0) is None


def taken(made: Turns[str], batch: int, joins: str = "") -> list[str]:
    return [each.work for each in take(made, made.pop(), batch, lambda each: each.work.startswith(joins))]


def test_a_run_takes_what_fits_in_turn() -> None:
    made = turns((http("a"), 2), (http("b"), 1), (http("c"), 2), (http("d"), 1))
    assert taken(made, 4) == ["a0", "b1"]
    assert taken(made, 3) == ["c2", "d3"]


def test_a_run_is_never_without_work_and_takes_none_that_is_for_another_model() -> None:
    assert taken(turns((ROUTES, 16), (ROUTES, 1)), 4) == ["routes0"]
    assert taken(turns((ROUTES, 1), (ROUTES, 1)), 0) == ["routes0"]
    assert taken(turns((http("a"), 1), (http("b"), 1), (http("a"), 1)), 4, joins="a") == ["a0"]


def rows(*samples: float) -> Array:
    return np.array(samples, np.float32)[:, None, None, None] * np.ones(V1.input.sample_shape, np.float32)


def double(samples: Array) -> Array:
    first = samples[:, 0, 0, 0]
    if (first < 0).any():
        raise RunFailedError("a sample is negative")
    return np.stack([2 * first, first], axis=1)


def loaded(output: tuple[int | str | None, ...] = ("batch", "classes")) -> tuple[LoadedModel, FakeSession]:
    session = FakeSession(V1, double)
    [name] = session.outputs
    model = fake_model(V1, session)
    session.outputs[name] = type(session.outputs[name])("tensor(float)", output)
    return model, session


def doubling(*samples: float) -> Work[Sequence[float]]:
    def work(model: LoadedModel) -> Asking[Sequence[float]]:
        values = yield Ask(rows(*samples), model.interpreter.names)
        return [float(number) for number in values[model.interpreter.names[0]][:, 0]]

    return work


def test_work_shares_a_run_and_each_gets_its_own() -> None:
    model, session = loaded()
    done = together(model, [doubling(1, 2), doubling(3)], batch=8)
    assert [each.result for each in done] == [[2, 4], [6]]
    assert session.sizes == [3]


def test_a_run_is_cut_to_the_size_that_is_best() -> None:
    model, session = loaded()
    assert together(model, [doubling(1, 2, 3, 4, 5)], batch=2)[0].result == [2, 4, 6, 8, 10]
    assert session.sizes == [2, 2, 1]


def test_work_by_itself_is_not_cut() -> None:
    model, session = loaded()
    assert alone(model, doubling(1, 2, 3)) == [2, 4, 6]
    assert session.sizes == [3]


def test_who_shares_a_run_with_what_fails_is_not_harmed() -> None:
    model, _ = loaded()
    good, bad, other = together(model, [doubling(1), doubling(-1), doubling(3)], batch=8)
    assert (good.result, other.result) == ([2], [6])
    with pytest.raises(RunFailedError, match="negative"):
        _ = bad.result


@pytest.mark.parametrize("given", [np.float32(1), np.ones((1, 2), np.float32)])
def test_what_does_not_give_a_row_for_each_sample_harms_nobody_else(given: Array) -> None:
    def odd(samples: Array) -> Array:
        return double(samples) if len(samples) == 1 and samples[0, 0, 0, 0] else np.asarray(given)

    model = fake_model(V1, FakeSession(V1, odd))
    good, other = together(model, [doubling(1), doubling(2)], batch=8)
    assert (good.result, other.result) == ([2], [4])


def test_what_cannot_be_asked_for_harms_nobody_either() -> None:
    def nonsense(_: LoadedModel) -> Asking[Sequence[float]]:
        raise ValueError("nonsense")
        yield

    model, session = loaded()
    bad, good = together(model, [nonsense, doubling(1)], batch=8)
    assert good.result == [2]
    with pytest.raises(ValueError, match="nonsense"):
        _ = bad.result
    assert session.sizes == [1]


def test_work_may_ask_again_after_a_failure() -> None:
    def stubborn(model: LoadedModel) -> Asking[str]:
        try:
            yield Ask(rows(-1), model.interpreter.names)
        except RunFailedError:
            yield Ask(rows(1), model.interpreter.names)
        return "done"

    model, session = loaded()
    assert alone(model, stubborn) == "done"
    assert session.sizes == [1, 1]


class Summing(FakeSession):
    """Has an output beside the contract's that is no row for each sample."""

    def __init__(self, shape: tuple[int | str | None, ...]) -> None:
        super().__init__(V1, double)
        [port] = self.outputs.values()
        self.outputs["sum"] = type(port)("tensor(float)", shape)

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        assert [*outputs] == ["sum"]
        [samples] = feeds.values()
        self.sizes.append(len(samples))
        return [samples[:, 0, 0, 0].sum(keepdims=True)]


@pytest.mark.parametrize("shape", [(1,), ("found",), (None,)])
def test_outputs_that_are_not_by_rows_are_of_a_run_by_itself(shape: tuple[int | str | None, ...]) -> None:
    def summing(*samples: float) -> Work[float]:
        def work(_: LoadedModel) -> Asking[float]:
            values = yield Ask(rows(*samples), ["sum"])
            return float(values["sum"][0])

        return work

    session = Summing(shape)
    done = together(fake_model(V1, session), [summing(1, 2, 3), summing(4)], batch=2)
    assert [each.result for each in done] == [6, 4]
    assert session.sizes == [3, 1]
