import numpy as np
import pytest

from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.embedding import cosine
from support.outputs import reader, rows

UNDER = reader(kind="embedding")


def test_the_vector_is_kept_without_digits_that_float32_does_not_have() -> None:
    assert rows(UNDER, output=[[0.1, 2], [1 / 3, 4]]) == [{"embedding": [0.1, 2]}, {"embedding": [0.333333, 4]}]


@pytest.mark.parametrize(
    ("other", "expected"), [([2, 0], 1), ([1, 1], 2**-0.5), ([0, 1], 0), ([-1, 0], 0), ([0, 0], 0), ([1, 0, 0], 0)]
)
def test_models_agree_by_the_cosine(other: list[float], expected: float) -> None:
    assert cosine([1, 0], other) == pytest.approx(expected)


def test_drift_shows_in_the_length() -> None:
    np.testing.assert_allclose(UNDER.measure(rows(UNDER, output=[[3, 4], [0, 1]])), [[5], [1]])


@pytest.mark.parametrize("shape", [(None,), (None, 1, 1)])
def test_shapes_that_do_not_fit(shape: tuple[int | None, ...]) -> None:
    with pytest.raises(ContractMismatchError):
        UNDER.check({"output": shape})
