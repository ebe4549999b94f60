import numpy as np
import pytest
from pydantic import ValidationError

from support.outputs import reader, rows

UNDER = reader(kind="raw", names=["mask", "level"])
MASK = [[[1, 2], [3, 4]], [[0, 0], [0, 8]]]


def test_each_output_is_a_column_of_its_shape() -> None:
    assert rows(UNDER, mask=MASK, level=[5, 6]) == [{"mask": MASK[0], "level": 5}, {"mask": MASK[1], "level": 6}]


def test_models_agree_in_the_share_of_outputs_that_are_alike() -> None:
    first, other = rows(UNDER, mask=MASK, level=[5, 5.001])
    assert (UNDER.agree(first, first), UNDER.agree(first, other)) == (1.0, 0.5)
    assert UNDER.agree(first, {"mask": [1], "level": 7}) == 0


def test_drift_shows_in_mean_and_deviation() -> None:
    assert [*UNDER.features] == ["mask_mean", "mask_std", "level_mean", "level_std"]
    [row] = rows(UNDER, mask=MASK[:1], level=[5])
    np.testing.assert_allclose(UNDER.measure([row]), [[2.5, np.sqrt(1.25), 5, 0]])


def test_an_output_is_named_once() -> None:
    with pytest.raises(ValidationError):
        reader(kind="raw", names=["mask", "mask"])
