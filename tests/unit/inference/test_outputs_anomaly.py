from typing import Any

import numpy as np
import pytest

from edge_inference.errors import ContractMismatchError
from support.outputs import reader, rows

UNDER = reader(kind="anomaly", threshold=0.5)


@pytest.mark.parametrize("scores", [[0.49, 0.5], [[0.49], [0.5]]])
def test_a_score_that_reaches_the_threshold_is_an_alert(scores: Any) -> None:
    assert rows(UNDER, output=scores) == [{"score": 0.49, "alert": False}, {"score": 0.5, "alert": True}]


def test_models_agree_where_both_or_none_is_an_alert() -> None:
    calm, odd, odder = rows(UNDER, output=[0, 1, 9])
    assert (UNDER.agree(odd, odder), UNDER.agree(calm, odd)) == (1.0, 0.0)


def test_drift_shows_in_the_score() -> None:
    np.testing.assert_allclose(UNDER.measure(rows(UNDER, output=[0.25, 2.0])), [[0.25], [2.0]])


@pytest.mark.parametrize("shape", [(None, 2), (None, 1, 1), ()])
def test_shapes_that_do_not_fit(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        UNDER.check({"output": shape})
