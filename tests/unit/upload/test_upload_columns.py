"""JSON values find a column type that holds them all."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_upload.columns import common_type, fit, is_type, type_of
from edge_upload.parquet import arrow_type

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "null"),
        (True, "bool"),
        (3, "double"),
        (2**53 + 1, "json"),
        (0.5, "double"),
        ("seven", "string"),
        ([], "list<null>"),
        ([1, 0.5, None], "list<double>"),
        ([[1, 2], []], "list<list<double>>"),
        (["a", 1], "list<json>"),
        ({"x": 1}, "json"),
    ],
)
def test_a_value_has_a_type(value: Any, expected: str) -> None:
    assert type_of(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], "null"),
        ([None, "a"], "string"),
        ([1, None, 0.5], "double"),
        ([[], ["a"], None], "list<string>"),
        ([[1], "a"], "json"),
        ([True, 1], "json"),
        ([[[1]], ["a"]], "list<json>"),
    ],
)
def test_values_share_a_type(values: list[Any], expected: str) -> None:
    assert common_type(values) == expected


def test_what_fits_no_column_is_kept_as_json() -> None:
    assert fit([{"b": 1, "a": None}, "ä"], "list<json>") == ['{"a": null, "b": 1}', '"ä"']
    assert fit(None, "json") is None


@given(st.lists(JSON, max_size=5))
def test_arrow_takes_every_value_as_its_common_type(values: list[Any]) -> None:
    column_type = common_type(values)
    column = pa.array([fit(value, column_type) for value in values], arrow_type(column_type))
    assert column.null_count == values.count(None)


@given(st.lists(JSON, max_size=5))
def test_order_does_not_matter(values: list[Any]) -> None:
    assert common_type(values) == common_type(values[::-1])


@pytest.mark.parametrize(
    ("values", "least", "expected"),
    [
        ([None, None], "string", "string"),
        ([[]], "list<list<double>>", "list<list<double>>"),
        ([[], ["a"]], "list<string>", "list<string>"),
        ([1], "string", "json"),
        ([1], "poem", "double"),
        ([1], "list<" * 5000, "double"),
    ],
)
def test_a_type_that_is_told_holds_for_what_is_empty(values: list[Any], least: str, expected: str) -> None:
    assert common_type(values, least) == expected


@given(st.lists(JSON, max_size=5))
def test_types_of_values_are_types(values: list[Any]) -> None:
    assert is_type(common_type(values))


@given(st.text("list<>doublejson", max_size=30))
def test_what_is_a_type_is_one_of_arrows(text: str) -> None:
    if is_type(text):
        assert arrow_type(text) is not None
