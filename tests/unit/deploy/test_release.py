import json
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import DeployError
from deploy.release import Release, changes, digest
from deploy.scope import Scope
from support.manifests import deployment, module, write


def release(**twins: dict[str, Any]) -> Release:
    sections = deployment(camera=module(), viewer=module())["modulesContent"]
    return Release(sections | {name: {"properties.desired": desired} for name, desired in twins.items()})


def test_system_and_layer_together_are_all_but_the_settings() -> None:
    one = release(camera={"rate": 1})
    agent, hub = (one.sections[name]["properties.desired"] for name in ("$edgeAgent", "$edgeHub"))
    assert one.system["$edgeAgent"]["properties.desired"] == {**agent, "modules": {}}
    assert one.system["$edgeHub"]["properties.desired"] == {**hub, "routes": {}}
    assert one.layer == {
        "$edgeAgent": {f"properties.desired.modules.{name}": entry for name, entry in agent["modules"].items()},
        "$edgeHub": {f"properties.desired.routes.{name}": route for name, route in hub["routes"].items()},
    }
    assert one.settings == {"camera": {"rate": 1}}


def test_a_device_is_told_of_no_twin_that_it_has() -> None:
    one = release(camera={"rate": 1}, viewer={"zoom": 2})
    assert one.for_device({"$edgeAgent", "camera"}).keys() == {"$edgeAgent", "$edgeHub", "viewer"}


@pytest.mark.parametrize(
    ("wanted", "known", "patch"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 1, "$version": 3, "$metadata": {}}, {}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": None}),
        ({"kinds": {"a": [1]}}, {"kinds": {"a": [1, 2], "b": [3]}}, {"kinds": {"a": [1], "b": None}}),
        ({"a": {"b": {"model": 1}}}, {"a": {"b": {"model": 2, "c": 3}}}, {"a": {"b": {"model": 1, "c": None}}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}, {}),
        ({"a": {}}, {"a": {"b": 1}}, {"a": {"b": None}}),
        ({"a": {"b": 1}}, {"a": 1}, {"a": {"b": 1}}),
        ({"a": 1}, {"a": {"b": 1}}, {"a": 1}),
        ({"a": 1}, {"model": {"name": "m"}}, {"a": 1}),
        ({"model": {"name": "first"}}, {"model": {"name": "m"}}, {}),
        ({"model": {"name": "first"}}, {}, {"model": {"name": "first"}}),
    ],
)
def test_settings_become_what_is_wanted_and_the_model_stays(
    wanted: dict[str, Any], known: dict[str, Any], patch: dict[str, Any]
) -> None:
    assert changes(wanted, known) == patch


def test_content_is_named_by_what_it_is_not_by_how_it_is_written() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1}) != digest({"a": 1, "b": 3})


@pytest.mark.parametrize("text", ["{", "[]", '{"modulesContent": {"$edgeAgent": {}, "$edgeHub": {}}}', "{}"])
def test_what_is_no_manifest_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(DeployError, match="is no deployment manifest"):
        Release.read(write(text, tmp_path))


def test_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match=r"cannot be read.*make manifest"):
        Release.read(tmp_path / "none.json")


def test_a_manifest_is_read(tmp_path: Path) -> None:
    document = deployment()
    assert Release.read(write(json.dumps(document), tmp_path)).sections == document["modulesContent"]


def test_a_scope_is_one_or_the_other() -> None:
    with pytest.raises(DeployError, match="contradict"):
        Scope("edge", "tags.a = 1")
    with pytest.raises(DeployError, match="say where to"):
        Scope().require()
    assert len({Scope("a").key, Scope("b").key, Scope(condition="a").key}) == 3
