import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edge_inference.outputs.masks import decode, encode
from edge_inference.session import Array


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ([[0]], "1"),
        ([[1]], "01"),
        ([[0, 0], [1, 1]], "1110"),  # runs 1, 1, 1, 1: the last is kept as its difference to the second
        ([[0, 1], [0, 1]], "22"),
        (np.zeros((4, 4)), "`0"),  # 16 takes a second group, or it would be negative
        (np.ones((10, 10)), "0T3"),
    ],
)
def test_texts_by_hand(mask: Array, text: str) -> None:
    assert encode(np.array(mask, bool)) == text
    np.testing.assert_array_equal(decode(text, np.shape(mask)), mask)


@given(arrays(bool, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_what_is_read_is_what_was_written(mask: Array) -> None:
    np.testing.assert_array_equal(decode(encode(mask), mask.shape), mask)


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_long_runs_are_kept(outside: int, inside: int) -> None:
    mask = np.repeat([False, True, False], [outside, inside, 7])[None]
    np.testing.assert_array_equal(decode(encode(mask), mask.shape), mask)
