"""Conditions about the body: T, F and U stand for true, false and undefined."""

import json

import pytest

from edge_simulator.routing import Message, RouteCompileError
from support.routes import JSON, evaluate, message

BODY = {
    "n": 50,
    "x": -50.4,
    "text": "50",
    "yes": True,
    "no": False,
    "nil": None,
    "time": "2017-03-09T00:00:00.000Z",
    "date": "2017-03-09",
    "almost": "2017-13-09T00:00:00Z",
    "list": [20, 30, {"deep": "down"}],
    "in": {"side": {"Case": 1}},
    "both": 50,
    "huge": 10**400,
}
RESULTS = {"T": True, "F": False, "U": None}


def about(document: object = BODY, system: dict[str, str] = JSON, codec: str = "utf-8") -> Message:
    return message(
        body=json.dumps(document).encode(codec), system=system, properties={"$body.both": "100", "city": "50"}
    )


@pytest.mark.parametrize(
    ("result", "condition"),
    [
        ("T", "$body.n = 50"),
        ("T", "$BODY.n >= 50"),
        ("F", "$body.n > 50"),
        ("T", "50 <= $body.n"),
        ("T", "$body.n = 40 + 10"),
        ("T", "$body.x < 0"),
        ("T", "$body.text = '50'"),
        ("T", "$body.text = city"),
        ("T", "$body.list[1] = 30"),
        ("T", "$body.list[2].deep = 'down'"),
        ("T", "$body.in.side.Case = 1"),
        ("F", "$body.in.side.case = 1"),
        ("T", "$body.yes"),
        ("F", "$body.no"),
        ("U", "$body.n"),
        ("T", "not $body.no"),
        ("U", "not $body.n"),
        ("T", "$body.yes = true"),
        ("T", "$body.yes and $body.yes"),
        ("T", "$body.no or $body.yes"),
        ("U", "$body.n or true"),
        ("U", "$body.n and city"),
        ("T", "$body.huge = 1/0"),
        ("T", "$body.date = '2017-03-09'"),
        ("T", "$body.almost != ''"),
    ],
)
def test_values(result: str, condition: str) -> None:
    assert evaluate(condition, about()) is RESULTS[result]


@pytest.mark.parametrize(
    ("result", "condition"),
    [
        ("F", "$body.n = '50'"),
        ("T", "$body.n != '50'"),
        ("T", "$body.yes < $body.n"),
        ("T", "$body.n < $body.text"),
        ("T", "$body.text < null"),
        ("T", "$body.nowhere > 1000"),
        ("F", "$body.nowhere < 1000"),
        ("T", "$body.nowhere <> '100'"),
    ],
)
def test_values_of_two_types_are_ordered_by_type_and_null_comes_last(result: str, condition: str) -> None:
    assert evaluate(condition, about()) is RESULTS[result]


@pytest.mark.parametrize(
    ("result", "condition"),
    [
        ("T", "$body.nil = null"),
        ("T", "$body.nowhere = null"),
        ("T", "$body.n.further = null"),
        ("T", "$body.text[0] = null"),
        ("T", "$body.list[9] = null"),
        ("T", "$body.n != null"),
        ("U", "$body.nowhere"),
        ("U", "not $body.nowhere"),
        ("T", "is_defined($body.nowhere)"),
        ("T", "is_null($body.nil)"),
        ("T", "is_null($body.n)"),
        ("F", "is_null($body.nowhere)"),
    ],
)
def test_null_and_what_is_missing(result: str, condition: str) -> None:
    assert evaluate(condition, about()) is RESULTS[result]


@pytest.mark.parametrize("path", ["list", "in", "time", "list[2]"])
def test_arrays_objects_and_times_are_undefined(path: str) -> None:
    assert evaluate(f"is_defined($body.{path})", about()) is False
    assert evaluate(f"$body.{path} <> null", about()) is None
    assert evaluate(f"is_bool($body.{path})", about()) is None
    assert evaluate(f"is_null($body.{path})", about()) is None


@pytest.mark.parametrize(
    ("result", "condition"),
    [
        ("T", "$body.n + 1 = 51"),
        ("T", "$body.list[0] * $body.list[1] = 600"),
        ("T", "$body.list[1] / $body.list[0] - 1 = 0.5"),
        ("U", "$body.text + 1 = 51"),
        ("U", "$body.nowhere + 1 = 1"),
        ("T", "as_number($body.text) = 50"),
        ("T", "as_number($body.n) % 7 = 1"),
        ("U", "as_number($body.yes) = 1"),
        ("T", "abs($body.x) = 50.4"),
        ("U", "abs($body.text) = 50"),
        ("T", "power($body.n, length($body.text)) = 2500"),
        ("T", "upper($body.list[2].deep) = 'DOWN'"),
        ("T", "contains($body.text, '0')"),
        ("U", "contains($body.n, '0')"),
        ("T", "concat($body.text, '-', $body.text) = '50-50'"),
        ("U", "concat($body.nil, 'a') = 'a'"),
        ("T", "substring($body.list[2].deep, $body.list[0] - 18) = 'wn'"),
        ("T", "is_number($body.n)"),
        ("F", "is_number($body.text)"),
        ("T", "is_string($body.text)"),
        ("F", "is_string($body.nil)"),
        ("T", "is_bool($body.no)"),
        ("F", "is_bool($body.nowhere)"),
        ("T", "($body.time ?? 'late') = 'late'"),
        ("T", "(city ?? $body.n) = '50'"),
        ("T", "($body.nowhere ?? 1) = null"),
    ],
)
def test_in_arithmetic_and_functions(result: str, condition: str) -> None:
    assert evaluate(condition, about()) is RESULTS[result]


def test_a_property_of_the_same_name_goes_first_unless_escaped() -> None:
    assert evaluate("$body.both = '100'", about()) is True
    assert evaluate("{$body.both} = 50", about()) is True


@pytest.mark.parametrize(
    "condition",
    [
        "- $body.n = 1",
        "$body.n % 7 = 1",
        "city = 'a' and $body.yes",
        "true or $body.yes",
        "$body.n = undefined",
        "$body.n + 'a' = 1",
    ],
)
def test_what_a_device_does_not_compile(condition: str) -> None:
    with pytest.raises(RouteCompileError):
        evaluate(condition, about())


@pytest.mark.parametrize(
    ("content_type", "encoding", "codec"),
    [
        ("application/json", "utf-8", "utf-8"),
        ("Application/JSON", "UTF-8", "utf-8"),
        ("application/json", "UTF-16", "utf-16-le"),
        ("application/json", "utf-32", "utf-32-le"),
    ],
)
def test_encodings(content_type: str, encoding: str, codec: str) -> None:
    system = {"contenttype": content_type, "contentEncoding": encoding}
    assert evaluate("$body.n = 50", about(system=system, codec=codec)) is True


@pytest.mark.parametrize(
    "system",
    [
        {},
        {"contentType": "application/json"},
        {"contentEncoding": "utf-8"},
        {"contentType": "application/json; charset=utf-8", "contentEncoding": "utf-8"},
        {"contentType": "application/json", "contentEncoding": "utf8"},
        {"contentType": "text/plain", "contentEncoding": "utf-8"},
    ],
)
def test_a_body_that_does_not_say_json_is_undefined(system: dict[str, str]) -> None:
    assert evaluate("$body.n = 50", about(system=system)) is None


@pytest.mark.parametrize(
    "body", [b"", b"text", b"[1]", b"5", b'{"n": 50', b"\xff\xfe", b"[" * 100_000, b'{"n":' * 100_000]
)
def test_a_body_that_is_no_json_object_is_undefined(body: bytes) -> None:
    assert evaluate("is_defined($body.n)", message(body=body, system=JSON)) is False
