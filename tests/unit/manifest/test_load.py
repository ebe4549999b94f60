import json
from pathlib import Path
from typing import Any

import pytest

from edge_simulator.manifest import Manifest, ManifestError, load
from support.manifests import deployment, desired, module, write, write_module


def loaded(document: Any, folder: Path, **env: str) -> Manifest:
    return load(write(document, folder), env)


def test_a_manifest(tmp_path: Path) -> None:
    document = deployment(
        camera=module(startupOrder=3, env={"TEXT": {"value": "t"}, "NUMBER": {"value": 1.5}, "FLAG": {"value": True}})
    )
    desired(document, "camera")["interval"] = 5
    manifest = loaded(document, tmp_path)
    camera = manifest.modules["camera"]
    assert (camera.name, camera.image, camera.status) == ("camera", "registry.test/camera:1.0", "running")
    assert (camera.restart_policy, camera.startup_order) == ("always", 3)
    assert camera.env == {"TEXT": "t", "NUMBER": "1.5", "FLAG": "true"}
    assert camera.command == ()
    assert manifest.twins == {"camera": {"interval": 5}}
    assert manifest.hub["schemaVersion"] == "1.1"
    assert manifest.agent["modules"]["camera"]["type"] == "docker"


def test_what_a_module_leaves_out_and_names_in_another_case(tmp_path: Path) -> None:
    document = deployment(
        camera={"Settings": {"Image": " registry.test/camera:1.0 "}, "env": None, "RestartPolicy": "never"}
    )
    camera = loaded(document, tmp_path).modules["camera"]
    assert (camera.image, camera.status, camera.restart_policy) == ("registry.test/camera:1.0", "running", "never")
    assert (camera.startup_order, camera.env) == (4294967295, {})


@pytest.mark.parametrize(
    "wrap",
    [
        lambda document: document,
        lambda document: {"$schema-template": "4.0.0", **document},
        lambda document: {"content": document},
        lambda document: {"id": "d", "priority": 10, "content": document},
        lambda document: {"moduleContent": document["modulesContent"]},
    ],
)
def test_the_forms_that_manifests_come_in(tmp_path: Path, wrap: Any) -> None:
    assert list(loaded(wrap(deployment()), tmp_path).modules) == ["camera"]


def test_a_layered_deployment(tmp_path: Path) -> None:
    document = {
        "content": {
            "modulesContent": {
                "$edgeAgent": {"properties.desired.modules.camera": module()},
                "$edgeHub": {"properties.desired.routes.up": "FROM /* INTO $upstream"},
                "camera": {"properties.desired": {"a": {"b": 1, "c": 2}}, "properties.desired.a.b": 5},
            }
        }
    }
    manifest = loaded(document, tmp_path)
    assert list(manifest.modules) == ["camera"]
    assert manifest.hub == {"routes": {"up": "FROM /* INTO $upstream"}}
    assert manifest.twins == {"camera": {"a": {"b": 5, "c": 2}}}


def test_variables_come_from_the_environment_and_below_it_from_a_file(tmp_path: Path) -> None:
    write("SERVER=file.test\nTAG='1.0'\nFULL=${SERVER}/x  # a remark\nexport TTL=60\nEMPTY=\n", tmp_path, ".env")
    document = deployment(camera=module(settings={"image": "$SERVER/camera:${TAG}"}))
    desired(document, "camera").update(full="${FULL}", unknown="${UNKNOWN} $alone", empty="${EMPTY}", ttl="TTL")
    text = json.dumps(document).replace('"TTL"', "${TTL}")
    manifest = loaded(text, tmp_path, SERVER="env.test")
    assert manifest.modules["camera"].image == "env.test/camera:1.0"
    assert manifest.twins["camera"] == {
        "full": "file.test/x",
        "unknown": "${UNKNOWN} $alone",
        "empty": "",
        "ttl": 60,
    }
    assert "$edgeHub" not in manifest.twins


def test_the_command_comes_from_the_modules_dockerfile(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera", dockerfile='ENTRYPOINT ["camera"]\nCMD ["--default"]')
    document = deployment(camera=module(settings={"image": "${MODULES.camera}"}))
    camera = loaded(document, tmp_path).modules["camera"]
    assert camera.image == "registry.test/camera:1.0-amd64"
    assert camera.command == ("camera", "--default")


@pytest.mark.parametrize(
    ("create", "command"),
    [
        ({"Cmd": ["--mine"]}, ("camera", "--mine")),
        ({"Entrypoint": ["other"]}, ("other",)),
        ({"Entrypoint": ["other"], "Cmd": ["--mine"]}, ("other", "--mine")),
        ({"Cmd": []}, ("camera", "--default")),
    ],
)
def test_create_options_override_the_dockerfile(
    tmp_path: Path, create: dict[str, Any], command: tuple[str, ...]
) -> None:
    write_module(tmp_path / "modules/camera", dockerfile='ENTRYPOINT ["camera"]\nCMD ["--default"]')
    settings = {"image": "${MODULES.camera}", "createOptions": create}
    assert loaded(deployment(camera=module(settings=settings)), tmp_path).modules["camera"].command == command


@pytest.mark.parametrize(
    ("document", "match"),
    [
        ("", "no JSON"),
        ('{"a": ${TTL}}', r"no JSON .* line 1, '.*\$\{TTL\}"),
        ("[]", "must hold a JSON object"),
        ("5", "must hold a JSON object"),
        ('{"a":' * 5000 + "1" + "}" * 5000, "nested"),
        ('{"a":' * 200 + "1" + "}" * 200, "nested"),
        ({}, "no modulesContent"),
        ({"content": 5}, "no modulesContent"),
        ({"modulesContent": []}, "modulesContent: must be an object"),
        ({"modulesContent": {"camera": []}}, "modulesContent.camera: must be an object"),
        ({"modulesContent": {"camera": {"properties.desired": 5}}}, "camera.properties.desired: must be an object"),
        (
            {"modulesContent": {"$edgeAgent": {"properties.desired": {"modules": []}}}},
            "desired.modules: must be an object",
        ),
        (deployment(camera=[]), "modules.camera: is an array; write an object"),  # type: ignore[arg-type]
        (deployment(camera={}), "modules.camera.settings: is missing"),
        (deployment(camera={"settings": {}}), "modules.camera.settings.image: is missing"),
        (deployment(camera=module(settings={"image": 5})), "settings.image: is 5; write a string"),
        (deployment(camera=module(status="paused")), "camera.status: is 'paused'; write running or stopped"),
        (deployment(camera=module(restartPolicy="maybe")), "restartPolicy: is 'maybe'"),
        (deployment(camera=module(startupOrder=-1)), "startupOrder: is -1; write an integer from 0"),
        (deployment(camera=module(startupOrder=True)), "startupOrder: is True"),
        (deployment(camera=module(env={"A": "1"})), "env.A: is '1'; write an object"),
        (deployment(camera=module(env={"A": {"value": []}})), "env.A.value: is an array"),
        (
            deployment(camera=module(settings={"image": "i", "createOptions": "{"})),
            "modules.camera: createOptions is no JSON",
        ),
        (
            deployment(camera=module(settings={"image": "i", "createOptions": '{"Env":5}'})),
            "camera.createOptions.Env: is 5",
        ),
    ],
)
def test_what_cannot_be_loaded(tmp_path: Path, document: Any, match: str) -> None:
    with pytest.raises(ManifestError, match=match):
        loaded(document, tmp_path)


def test_a_file_that_is_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read: No such file"):
        load(tmp_path / "nowhere.json", {})
    (tmp_path / "deployment.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ManifestError, match="UTF-8"):
        load(tmp_path / "deployment.json", {})
