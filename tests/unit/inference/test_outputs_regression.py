from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from edge_inference.errors import ContractMismatchError
from support.outputs import reader, rows

LOAD = {"name": "load", "tolerance": 0.5}
DROPS = {"name": "drops", "tolerance": 2, "low": 0, "high": 10}


def test_each_quantity_has_a_column() -> None:
    under = reader(kind="regression", quantities=[LOAD, {"name": "drops", "tolerance": 1}])
    assert rows(under, output=[[0.1, 2], [3, -4]]) == [{"load": 0.1, "drops": 2}, {"load": 3, "drops": -4}]


@pytest.mark.parametrize(("drops", "alert"), [(-0.1, True), (0, False), (10, False), (10.1, True)])
def test_what_is_beyond_its_bounds_is_an_alert(drops: float, *, alert: bool) -> None:
    under = reader(kind="regression", quantities=[LOAD, DROPS])
    [row] = rows(under, output=[[99, drops]])
    assert row["alert"] is alert


def test_one_quantity_needs_no_dimension_of_its_own() -> None:
    assert rows(reader(kind="regression", quantities=[LOAD]), output=[1, 2]) == [{"load": 1}, {"load": 2}]


def test_models_agree_in_the_share_of_quantities_within_their_tolerance() -> None:
    under = reader(kind="regression", quantities=[LOAD, DROPS])
    first, near, far = rows(under, output=[[1, 5], [1.5, 7], [1.6, 7]])
    assert (under.agree(first, near), under.agree(first, far)) == (1.0, 0.5)


def test_drift_shows_in_each_quantity() -> None:
    under = reader(kind="regression", quantities=[LOAD, DROPS])
    assert under.features == {"load": 0, "drops": 0}
    np.testing.assert_allclose(under.measure(rows(under, output=[[1, 5], [2, 6]])), [[1, 5], [2, 6]])
    assert under.measure([]).shape == (0, 2)


@pytest.mark.parametrize("shape", [(), (None,), (None, 3), (None, 2, 1)])
def test_shapes_that_do_not_fit(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        reader(kind="regression", quantities=[LOAD, DROPS]).check({"output": shape})


@pytest.mark.parametrize(
    "quantities",
    [
        [],
        [LOAD, LOAD],
        [LOAD | {"name": "alert"}],
        [{"name": "load"}],
        [DROPS | {"low": 11}],
        [DROPS | {"tolerance": -1}],
        [DROPS | {"high": "inf"}],
    ],
)
def test_quantities_that_make_no_sense_are_refused(quantities: list[Any]) -> None:
    with pytest.raises(ValidationError):
        reader(kind="regression", quantities=quantities)
