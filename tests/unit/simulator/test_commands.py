"""What the commands make of their arguments, with and without a simulator to speak to."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from edge_simulator.cli import main
from edge_simulator.commands.twin import parse


@pytest.mark.parametrize(
    ("changes", "patch"),
    [
        (["a=1"], {"a": 1}),
        (["a=text"], {"a": "text"}),
        (['a="1"'], {"a": "1"}),
        (["a=null"], {"a": None}),
        (["a="], {"a": ""}),
        (["a=x=y"], {"a": "x=y"}),
        (["a.b.c=true", "a.d=[1, 2]"], {"a": {"b": {"c": True}, "d": [1, 2]}}),
        (['a={"b": 1}', "a.c=2"], {"a": {"b": 1, "c": 2}}),
        (["a=1", "a=2"], {"a": 2}),
    ],
)
def test_changes_make_a_patch(changes: list[str], patch: dict[str, Any]) -> None:
    assert parse(changes) == patch


@pytest.mark.parametrize("changes", [["a"], ["=1"], ["a..b=1"], [".a=1"], ["a=1", "a.b=2"]])
def test_changes_that_make_none(changes: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(changes)


@pytest.mark.parametrize(
    "command",
    [["status"], ["monitor"], ["twin", "get", "m"], ["twin", "set", "m", "a=1"], ["credentials", "m"]],
    ids=" ".join,
)
def test_commands_say_that_no_simulator_runs(tmp_path: Path, command: list[str]) -> None:
    result = CliRunner().invoke(main, [*command, "--state", str(tmp_path)])
    assert result.exit_code == 1
    assert f"no simulator runs on state folder {tmp_path}; start one with `edge-simulator run" in result.output


def _manifest(routes: dict[str, Any]) -> str:
    hub = {"schemaVersion": "1.1", "routes": routes, "storeAndForwardConfiguration": {"timeToLiveSecs": 7200}}
    sections = {"$edgeAgent": {"schemaVersion": "1.1", "modules": {}}, "$edgeHub": hub}
    return json.dumps({"modulesContent": {name: {"properties.desired": twin} for name, twin in sections.items()}})


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        ("{", [], "Error: "),
        (_manifest({"bad": "FROM nowhere"}), [], "bad"),
        (_manifest({}), ["--address", "192.0.2.1"], "cannot listen on 192.0.2.1:8883"),
        (_manifest({}), ["--mount", "data"], "'data' is not SOURCE=FOLDER"),
        (_manifest({}), ["--restart-backoff", "0"], "restart-backoff"),
    ],
)
def test_run_says_what_is_wrong(tmp_path: Path, text: str, arguments: list[str], problem: str) -> None:
    file = tmp_path / "deployment.json"
    file.write_text(text)
    result = CliRunner().invoke(main, ["run", str(file), "--state", str(tmp_path / "state"), *arguments])
    assert result.exit_code in {1, 2}
    assert problem in result.output
    assert isinstance(result.exception, SystemExit)


def test_every_command_helps() -> None:
    listed = main.list_commands(click.Context(main))
    assert {"run", "credentials", "routes"} <= set(listed)
    for name in listed:
        assert CliRunner().invoke(main, [name, "--help"]).exit_code == 0


def test_an_unknown_command_is_refused() -> None:
    assert "No such command 'walk'" in CliRunner().invoke(main, ["walk"]).output


def test_a_command_starts_without_what_others_need() -> None:
    code = "import sys; from edge_simulator.cli import main; main(['routes', '--help'], standalone_mode=False)"
    unneeded = "; print({'aiohttp', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + unneeded], check=True, capture_output=True, text=True)
    assert done.stdout.endswith("set()\n")
