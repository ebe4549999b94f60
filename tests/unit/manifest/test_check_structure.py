from pathlib import Path
from typing import Any

import pytest

from support.manifests import (
    HUB,
    MODULES,
    deployment,
    desired,
    found,
    module,
    write_module,
)

SYSTEM = "modulesContent.$edgeAgent.properties.desired.systemModules"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"modulesContent": 5}', '{"modulesContent": {"$edgeAgent": {"properties.desired": []}}}']
)
def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path, text: str) -> None:
    assert found(text, tmp_path) == [("structure", "")]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"type": "exe"}, "camera.type"),
        ({"type": None}, "camera.type"),
        ({"status": None}, "camera.status"),
        ({"status": "paused"}, "camera.status"),
        ({"restartPolicy": "sometimes"}, "camera.restartPolicy"),
        ({"startupOrder": "first"}, "camera.startupOrder"),
        ({"imagePullPolicy": "always"}, "camera.imagePullPolicy"),
        ({"version": 1}, "camera.version"),
        ({"settings": None}, "camera.settings"),
        ({"settings": {"createOptions": "{}"}}, "camera.settings.image"),
        ({"settings": {"image": "i:1", "options": "{}"}}, "camera.settings.options"),
        ({"env": {"A": "b"}}, "camera.env.A"),
        ({"env": {"A": {"value": ["b"]}}}, "camera.env.A.value"),
        ({"env": {"A.B": {"value": "b"}}}, "camera.env.A.B"),
        ({"restart": "always"}, "camera.restart"),
    ],
)
def test_the_form_of_a_module(tmp_path: Path, change: dict[str, Any], place: str) -> None:
    assert ("structure", f"{MODULES}.{place}") in found(deployment(camera=module(**change)), tmp_path)


def test_the_form_of_the_rest(tmp_path: Path) -> None:
    document = deployment(**{"my camera": module()})
    agent = desired(document, "$edgeAgent")
    del agent["systemModules"]["edgeHub"]
    agent["runtime"]["settings"]["registryCredentials"] = {"r": {"address": "a b", "username": "u"}}
    agent["schemaVersion"] = "2"
    desired(document, "$edgeHub")["rotues"] = {}
    document["modulesContent"]["extra"] = {"desired": {}}
    places = {path for rule, path in found(document, tmp_path) if rule == "structure"}
    base = "modulesContent.$edgeAgent.properties.desired"
    assert places == {
        f"{base}.schemaVersion",
        f"{base}.systemModules.edgeHub",
        f"{base}.runtime.settings.registryCredentials.r.address",
        f"{base}.runtime.settings.registryCredentials.r.password",
        f"{base}.modules.my camera",
        f"{HUB}.routes.my camera",
        f"{HUB}.rotues",
        "modulesContent.extra.desired",
    }


@pytest.mark.parametrize("name", ["$edgeAgent", "$edgeHub"])
def test_both_system_twins_must_be_there(tmp_path: Path, name: str) -> None:
    document = deployment()
    del document["modulesContent"][name]
    assert any(rule == "structure" and name in path for rule, path in found(document, tmp_path))


def test_a_layered_deployment_has_parts_only(tmp_path: Path) -> None:
    document = {
        "content": {
            "modulesContent": {
                "$edgeAgent": {"properties.desired.modules.camera": module(restartPolicy=None)},
                "$edgeHub": {
                    "properties.desired.routes.fine": "FROM /messages/modules/below/* INTO $upstream",
                    "properties.desired.routes.bad": "FROM /* INTO nowhere",
                },
            }
        }
    }
    assert found(document, tmp_path) == [
        ("routes", f"content.{HUB}.routes.bad"),
        ("restart-policy", f"content.{MODULES}.camera.restartPolicy"),
    ]


def test_modules_without_a_restart_policy(tmp_path: Path) -> None:
    document = deployment(camera=module(restartPolicy=None))
    del desired(document, "$edgeAgent")["systemModules"]["edgeHub"]["restartPolicy"]
    assert found(document, tmp_path) == [
        ("restart-policy", f"{SYSTEM}.edgeHub.restartPolicy"),
        ("restart-policy", f"{MODULES}.camera.restartPolicy"),
    ]


@pytest.mark.parametrize(
    ("image", "wrong"),
    [
        ("registry.test/camera:latest", True),
        ("registry.test/camera", True),
        ("registry.test:5000/camera", True),
        ("camera", True),
        ("registry.test:5000/camera:1.0", False),
        ("registry.test/camera:latest-1", False),
        ("registry.test/camera@sha256:0", False),
        ("registry.test/camera:latest@sha256:0", False),
    ],
)
def test_latest_tags(tmp_path: Path, image: str, *, wrong: bool) -> None:
    findings = found(deployment(camera=module(settings={"image": image})), tmp_path)
    assert findings == ([("latest-tags", f"{MODULES}.camera.settings.image")] if wrong else [])


def test_variables_without_a_value(tmp_path: Path) -> None:
    document = deployment(camera=module(env={"A": {"value": "${NOWHERE}/x"}}))
    assert found(document, tmp_path) == [("variables", f"{MODULES}.camera.env.A.value")]


def test_an_expanded_template_is_checked(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera")
    assert found(deployment(camera=module(settings={"image": "${MODULES.camera}"})), tmp_path) == []
    assert found(deployment(camera=module(settings={"image": "${MODULES.nobody}"})), tmp_path) == [("structure", "")]
