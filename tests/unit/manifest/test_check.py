import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edge_simulator.manifest import rules
from edge_simulator.manifest.checking import check
from edge_simulator.manifest.cli import manifest
from support.manifests import (
    HUB,
    deployment,
    found,
    with_route,
    write,
)


def test_nothing_wrong(tmp_path: Path) -> None:
    assert found(deployment(), tmp_path) == []


@pytest.mark.parametrize("value", [None, 5, "text", [], {}, [5], {"a": 5}, {"a": {"b": None}}])
@pytest.mark.parametrize(
    "place",
    [
        ("$edgeAgent",),
        ("$edgeAgent", "properties.desired"),
        ("$edgeAgent", "properties.desired", "modules"),
        ("$edgeAgent", "properties.desired", "systemModules"),
        ("$edgeAgent", "properties.desired", "modules", "camera"),
        ("$edgeAgent", "properties.desired", "modules", "camera", "env"),
        ("$edgeAgent", "properties.desired", "modules", "camera", "settings"),
        ("$edgeAgent", "properties.desired", "modules", "camera", "settings", "image"),
        ("$edgeAgent", "properties.desired", "modules", "camera", "settings", "createOptions"),
        ("$edgeHub",),
        ("$edgeHub", "properties.desired"),
        ("$edgeHub", "properties.desired", "routes"),
        ("$edgeHub", "properties.desired", "storeAndForwardConfiguration"),
        ("camera",),
    ],
)
def test_no_value_anywhere_breaks_the_check(tmp_path: Path, place: tuple[str, ...], value: Any) -> None:
    document = deployment()
    holder = document["modulesContent"]
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    found(document, tmp_path)


def run(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(manifest, ["check", str(path), *arguments])


def test_the_command_prints_a_line_for_each_finding_and_fails(tmp_path: Path) -> None:
    path = write(with_route("FROM /* INTO nowhere"), tmp_path)
    result = run(path)
    assert result.exit_code == 1
    [line] = result.stdout.splitlines()
    assert line.startswith(f"{path}: {HUB}.routes.r: ")
    assert line.endswith("[routes]")


def test_the_command_prints_json(tmp_path: Path) -> None:
    path = write(with_route("FROM /* INTO nowhere"), tmp_path)
    result = run(path, "--json")
    assert result.exit_code == 1
    [finding] = json.loads(result.stdout)
    assert finding["file"] == str(path)
    assert finding["path"] == f"{HUB}.routes.r"
    assert set(finding) == {"file", "path", "rule", "reason", "mend"}


def test_the_command_succeeds_where_nothing_is_wrong(tmp_path: Path) -> None:
    result = run(write(deployment(), tmp_path), "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def test_every_rule_is_registered() -> None:
    folder = Path(rules.__path__[0])
    assert {path.stem.replace("_", "-") for path in folder.glob("[a-z]*.py")} == set(rules.RULES)


@pytest.mark.parametrize("name", ["deployment.template.json", "deployment.two-models.template.json"])
def test_nothing_is_wrong_with_the_suites_own_templates(name: str) -> None:
    template = Path(__file__).parents[3] / name
    assert check(template, {}, "amd64") == check(template, {}, "amd64.gpu") == []
