"""How twin properties merge, and which are refused."""

from typing import Any

import pytest

from edge_simulator.errors import TwinError
from edge_simulator.hub.twin_rules import MAX_BYTES, check_patch, check_size, merge_desired, merge_reported

BOTH = [
    ({}, {"a": 1}, {"a": 1}),
    ({"a": 1}, {"a": None}, {}),
    ({"a": 1}, {"b": None}, {"a": 1}),
    ({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}, {"a": {"b": 3, "c": 2}}),
    ({"a": {"b": 1}}, {"a": {"b": None}}, {"a": {}}),
    ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
    ({"a": {"b": 1}}, {"a": 2}, {"a": 2}),
    ({"a": 1}, {}, {"a": 1}),
]


@pytest.mark.parametrize(("base", "patch", "merged"), BOTH)
def test_patches_merge(base: dict[str, Any], patch: dict[str, Any], merged: dict[str, Any]) -> None:
    assert merge_reported(base, patch) == merged
    assert merge_desired(base, patch) == merged


@pytest.mark.parametrize("base", [{}, {"a": 1}, {"a": None}])
def test_only_edge_hub_keeps_the_nulls_of_a_new_object(base: dict[str, Any]) -> None:
    patch = {"a": {"b": None, "c": {"d": None}}}
    assert merge_reported(base, patch) == patch
    assert merge_desired(base, patch) == {"a": {"c": {}}}


def test_merging_leaves_its_arguments_alone() -> None:
    base, patch = {"a": {"b": 1}}, {"a": {"b": None, "c": 1}}
    merge_reported(base, patch)
    merge_desired(base, patch)
    assert (base, patch) == ({"a": {"b": 1}}, {"a": {"b": None, "c": 1}})


def _nested(depth: int) -> dict[str, Any]:
    return {"a": _nested(depth - 1)} if depth > 1 else {"a": 1}


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"a": None},
        {"a": {"b": None}},
        {"a": [1, "x", True, {"b": 1.5}]},
        {"a": "x" * 4096},
        {"ä" * 512: 1},
        {"a": 2**52 - 1, "b": -(2**52)},
        {"a-b_c!": 1},
        _nested(10),
    ],
)
def test_patches_that_fit(patch: dict[str, Any]) -> None:
    assert check_patch(patch) is patch


@pytest.mark.parametrize(
    ("patch", "problem"),
    [
        ([], "JSON object"),
        ("text", "JSON object"),
        (None, "JSON object"),
        ({"a.b": 1}, "a.b: a name may not hold"),
        ({"$a": 1}, "a name may not hold"),
        ({"a#": 1}, "a name may not hold"),
        ({"a": {"b c": 1}}, "a.b c: a name may not hold"),
        ({"a\n": 1}, "a name may not hold"),
        ({"ä" * 513: 1}, "more than 1024 bytes"),
        ({"a": "ä" * 2049}, "a: a string of more than 4096 bytes"),
        ({"a": [{"b": "x" * 4097}]}, r"a\[0\].b: a string"),
        ({"a": 2**52}, "beyond 52 bits"),
        ({"a": float("nan")}, "no JSON number"),
        ({"a": [float("inf")]}, "no JSON number"),
        ({"a": -(2**52) - 1}, "beyond 52 bits"),
        ({"a": [None]}, r"a\[0\]: null inside an array"),
        ({"a": [{"b": None}]}, r"a\[0\].b: null inside an array"),
        ({"a": [[None]]}, r"a\[0\]\[0\]: null inside an array"),
        (_nested(11), "nested deeper than 10"),
    ],
)
def test_patches_that_are_refused(patch: object, problem: str) -> None:
    with pytest.raises(TwinError, match=problem):
        check_patch(patch)


def test_properties_may_take_32_kib() -> None:
    overhead = len('{"a":""}')
    check_size({"a": "x" * (MAX_BYTES - overhead)})
    with pytest.raises(TwinError, match="32769 bytes"):
        check_size({"a": "x" * (MAX_BYTES - overhead + 1)})
