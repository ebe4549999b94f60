import json
from typing import Any

import pytest
from click.testing import CliRunner

from edge_simulator.routing.cli import routes


def ask(*lines: str | bytes | dict[str, Any]) -> list[dict[str, Any]]:
    """Run `routes check` on the lines."""
    texts = [json.dumps(line) if isinstance(line, dict) else line for line in lines]
    data = b"".join((text.encode() if isinstance(text, str) else text) + b"\n" for text in texts)
    result = CliRunner().invoke(routes, ["check"], input=data, catch_exceptions=False)
    assert result.exit_code == 0
    return [json.loads(line) for line in result.stdout.splitlines()]


def about(**message: Any) -> dict[str, Any]:
    return {"source": "/messages/modules/m/outputs/o", **message}


@pytest.mark.parametrize(("condition", "matches"), [("kind = 'x'", True), ("kind = 'y'", False), ("none = 'x'", None)])
def test_a_route_and_a_message(condition: str, *, matches: bool | None) -> None:
    route = f'FROM /messages/* WHERE {condition} INTO BrokeredEndpoint("/modules/b/inputs/i")'
    assert ask({"route": route, "message": about(properties={"kind": "x"})}) == [
        {
            "matches": matches,
            "source": "/messages/*",
            "condition": condition,
            "sink": {"function": "BrokeredEndpoint", "address": "/modules/b/inputs/i"},
        }
    ]


def test_another_source_does_not_match() -> None:
    assert ask({"route": "FROM /messages/modules/n/* INTO $upstream", "message": about()})[0]["matches"] is False


def test_without_a_message_only_the_parts() -> None:
    assert ask({"route": "FROM /* INTO $upstream"}) == [
        {"source": "/*", "condition": "true", "sink": {"system": "$upstream"}}
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "UTF-32"])
def test_bodies(encoding: str) -> None:
    system = {"contentType": "application/json", "contentEncoding": encoding}
    message = about(systemProperties=system, body='{"n": 5}')
    assert ask({"route": "FROM /* WHERE $body.n = 5 INTO $upstream", "message": message})[0]["matches"] is True


@pytest.mark.parametrize(
    ("route", "stage"),
    [
        ("FROM /* INTO nowhere", "parse"),
        ("FROM /* INTO $nowhere", "parse"),
        ("", "parse"),
        ("FROM /* WHERE temp > 50 INTO $upstream", "compile"),
        ("FROM /* WHERE nothing() INTO $upstream", "compile"),
    ],
)
def test_what_is_wrong_with_a_route(route: str, stage: str) -> None:
    [answer] = ask({"route": route})
    assert answer["stage"] == stage
    assert answer["error"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not JSON",
        "[]",
        "5",
        "{}",
        b"\xff",
        "[" * 100_000,
        {"route": 5},
        {"route": "FROM /* INTO $upstream", "message": 5},
        {"route": "FROM /* INTO $upstream", "message": {}},
        {"route": "FROM /* INTO $upstream", "message": about(properties=[1])},
        {"route": "FROM /* INTO $upstream", "message": about(properties={"n": 5})},
        {"route": "FROM /* INTO $upstream", "message": about(systemProperties="x")},
        {"route": "FROM /* INTO $upstream", "message": about(body={"n": 5})},
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_too(line: Any) -> None:
    bad, good = ask(line, {"route": "FROM /* INTO $upstream", "message": about()})
    assert bad["stage"] == "parse"
    assert good["matches"] is True
