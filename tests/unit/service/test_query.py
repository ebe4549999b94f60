"""The query language: what it finds, and what it refuses."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_simulator.service.query import QueryError, parse_query, parse_target

PREFIX = "select * FROM devices Where "
TWIN: dict[str, Any] = {
    "deviceId": "edge",
    "tags": {"site": "lab", "floor": 2, "open": True, "none": None, "a-b": 1, "not": {"x": "it's"}},
    "properties": {"desired": {"rate": 1.5, "$version": 4}, "reported": {"model": {"state": "Active"}}},
    "capabilities": {"iotEdge": True},
}


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("tags.site = 'lab'", True),
        ('tags.site = "lab"', True),
        ("tags.site != 'lab'", False),
        ("tags.site <> 'fab'", True),
        ("'lab' = tags.site", True),
        ("tags.SITE = 'lab'", False),
        ("tags.floor = 2", True),
        ("tags.floor = '2'", False),
        ("tags.floor != '2'", True),
        ("tags.floor > 1 AND tags.floor < 3", True),
        ("tags.floor >= 2 and tags.floor <= 2", True),
        ("tags.floor > 2 OR tags.site = 'lab'", True),
        ("tags.floor > '1'", False),
        ("tags.site < 'm'", True),
        ("tags.open", True),
        ("tags.open = true", True),
        ("tags.open = 1", False),
        ("tags.floor = true", False),
        ("tags.none = null", True),
        ("tags.site", False),
        ("NOT tags.open", False),
        ("NOT tags.site = 'fab'", True),
        ("NOT NOT tags.open", True),
        ("tags.missing = 'x'", False),
        ("tags.missing != 'x'", False),
        ("NOT tags.missing = 'x'", False),
        ("tags.missing = 'x' OR tags.open", True),
        ("NOT (tags.missing = 'x' AND tags.floor = 3)", True),
        ("tags.floor IN [1, 2, 3]", True),
        ("tags.site in ['fab', 'hall']", False),
        ("tags.site NOT IN ['fab']", True),
        ("tags.missing IN ['x']", False),
        ("is_defined(tags.site)", True),
        ("IS_DEFINED(tags.missing)", False),
        ("NOT IS_DEFINED(tags.missing.deep)", True),
        ("IS_NULL(tags.none) AND IS_BOOL(tags.open) AND IS_NUMBER(tags.floor) AND IS_STRING(tags.site)", True),
        ("IS_OBJECT(tags.site) OR IS_ARRAY(tags.site)", False),
        ("STARTSWITH(tags.site, 'la') AND ENDSWITH(tags.site, 'ab') AND CONTAINS(tags.site, 'a')", True),
        ("STARTSWITH(tags.floor, '2')", False),
        ("tags.[[a-b]] = 1", True),
        (r"tags.not.x = 'it\'s'", True),
        ("properties.desired.rate = 1.5 AND properties.desired.$version = 4", True),
        ("properties.reported.model.state = 'Active'", True),
        ("capabilities.iotEdge = true AND (deviceId = 'x' OR deviceId = 'edge')", True),
        ("tags.site = 'lab' OR tags.site = 'lab' AND tags.floor = 3", True),
        ("tags.floor = -2e0", False),
    ],
)
def test_conditions(condition: str, *, found: bool) -> None:
    assert parse_target(condition).matches(TWIN) is found
    assert parse_query(PREFIX + condition).matches(TWIN) is found


def test_collections() -> None:
    assert parse_query("SELECT * FROM devices").collection == "devices"
    assert parse_query("SELECT * FROM devices.modules WHERE moduleId = 'a'").collection == "devices.modules"
    assert parse_target("FROM devices.modules WHERE moduleId = 'a'").collection == "devices.modules"
    assert parse_target("*").matches({})
    assert parse_query("SELECT * FROM devices ").matches({})


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "expected SELECT, found the end"),
        ("SELECT deviceId FROM devices", r"expected \*, found 'deviceId' \(at character 8\)"),
        ("SELECT * FROM jobs", "expected DEVICES, found 'jobs'"),
        ("SELECT * FROM devices WHERE", "expected a value or a property, found the end"),
        ("SELECT * FROM devices WHERE tags.a =", "expected a value or a property"),
        ("SELECT * FROM devices WHERE tags.a = 1 1", "expected the end, found '1'"),
        ("SELECT * FROM devices WHERE (tags.a = 1", r"expected \), found the end"),
        ("SELECT * FROM devices WHERE tags.a IN []", "expected a value"),
        ("SELECT * FROM devices WHERE tags.a & 1", "'&' .* means nothing"),
        ("SELECT * FROM devices WHERE tags.a = 'open", "means nothing"),
        ("SELECT * FROM devices WHERE SIZE(tags.a)", "no function"),
        ("SELECT * FROM devices WHERE IS_DEFINED(tags.a, 1)", r"with 2 argument\(s\)"),
        ("SELECT * FROM devices WHERE " + "(" * 1000, "nested more than 50 deep"),
    ],
)
def test_refusals(text: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        parse_query(text)


WORDS = ["tags.a", "=", "1", "'x'", "(", ")", "[", "]", ",", "AND", "OR", "NOT", "IN", "IS_DEFINED", "*", "FROM"]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(QueryError):
        parse_target(text).matches(TWIN)
