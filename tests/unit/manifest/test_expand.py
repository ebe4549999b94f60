import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from edge_simulator.manifest import ManifestError, load
from edge_simulator.manifest.cli import manifest
from edge_simulator.manifest.expansion import expand_template
from support.manifests import deployment, desired, module, write, write_module

TEMPLATE = "deployment.template.json"


def settings(text: str, name: str = "camera") -> Any:
    return desired(json.loads(text), "$edgeAgent")["modules"][name]["settings"]


def expand(*arguments: str, **env: str) -> Result:
    return CliRunner().invoke(manifest, ["expand", *arguments], env=env)


def test_a_template_becomes_what_iot_hub_takes(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera")
    create = {"Env": ["A=${A}"], "HostConfig": {"Memory": 5}}
    document = deployment(camera=module(settings={"image": "${MODULES.camera}", "createOptions": create}))
    write({"$schema-template": "4.0.0", **document}, tmp_path, TEMPLATE)
    result = expand(str(tmp_path / TEMPLATE), "--output-dir", str(tmp_path / "config"), A="b")
    assert result.exit_code == 0, result.output
    target = tmp_path / "config/deployment.amd64.json"
    assert result.stdout.strip() == str(target)
    expanded = target.read_text(encoding="utf-8")
    assert list(json.loads(expanded)) == ["modulesContent"]
    assert settings(expanded) == {
        "image": "registry.test/camera:1.0-amd64",
        "createOptions": '{"Env":["A=b"],"HostConfig":{"Memory":5}}',
    }


@pytest.mark.parametrize(
    ("name", "platform", "target"),
    [
        ("deployment.template.json", "arm64", "deployment.arm64.json"),
        ("deployment.debug.template.json", "amd64", "deployment.debug.amd64.json"),
        ("manifest.json", "amd64", "manifest.amd64.json"),
    ],
)
def test_the_name_tells_the_platform(tmp_path: Path, name: str, platform: str, target: str) -> None:
    write(deployment(), tmp_path, name)
    result = expand(str(tmp_path / name), "--output-dir", str(tmp_path / "out"), "--platform", platform)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [target], result.output


@pytest.mark.parametrize("as_text", [False, True])
def test_long_options_are_cut_into_chunks(tmp_path: Path, *, as_text: bool) -> None:
    create = {"Labels": {"l": "x" * 1000}}
    given = json.dumps(create, indent=4) if as_text else create
    document = deployment(camera=module(settings={"image": "i:1", "createOptions": given}))
    text = expand_template(write(document, tmp_path), {}, "amd64").text
    chunks = [value for name, value in settings(text).items() if name != "image"]
    assert [len(chunk) for chunk in chunks] == [512, 507]
    assert json.loads("".join(chunks)) == create


def test_chunks_are_cut_anew(tmp_path: Path) -> None:
    chunked = {"image": "i:1", "createOptions": '{"Env":', "createOptions01": '["A=b"]}'}
    text = expand_template(write(deployment(camera=module(settings=chunked)), tmp_path), {}, "amd64").text
    assert settings(text) == {"image": "i:1", "createOptions": '{"Env":["A=b"]}'}


def test_system_modules_and_layers_are_cut_too_and_other_modules_twins_are_not(tmp_path: Path) -> None:
    document = {
        "modulesContent": {
            "$edgeAgent": {"properties.desired.modules.camera": module(settings={"image": "i:1", "createOptions": {}})},
            "camera": {"properties.desired": {"createOptions": {"own": "thing"}}},
        }
    }
    content = json.loads(expand_template(write(document, tmp_path), {}, "amd64").text)["modulesContent"]
    assert content["$edgeAgent"]["properties.desired.modules.camera"]["settings"]["createOptions"] == "{}"
    assert content["camera"]["properties.desired"] == {"createOptions": {"own": "thing"}}


def test_expanding_changes_nothing_of_what_is_read(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera", dockerfile='ENTRYPOINT ["camera"]')
    create = {"Env": ["A=b"], "HostConfig": {"Tmpfs": {"/memory": ""}}, "Labels": {"l": "é" * 300}}
    document = deployment(camera=module(settings={"image": "${MODULES.camera}", "createOptions": create}))
    template = write(document, tmp_path, TEMPLATE)
    expanded = write(expand_template(template, {}, "amd64").text, tmp_path)
    assert load(expanded, {}).modules == load(template, {}).modules


def test_too_many_chunks(tmp_path: Path) -> None:
    create = {"Labels": {"l": "x" * 4096}}
    document = deployment(camera=module(settings={"image": "i:1", "createOptions": create}))
    with pytest.raises(ManifestError, match="i:1 are over 4096 characters"):
        expand_template(write(document, tmp_path), {}, "amd64")


def test_variables_without_a_value_stay_and_are_named(tmp_path: Path) -> None:
    write(deployment(camera=module(env={"A": {"value": "${NOWHERE} ${NOWHERE}"}})), tmp_path, TEMPLATE)
    result = expand(str(tmp_path / TEMPLATE), "--output-dir", str(tmp_path))
    assert result.exit_code == 0
    assert result.stderr.count("no value for NOWHERE") == 1
    assert "${NOWHERE} ${NOWHERE}" in (tmp_path / "deployment.amd64.json").read_text(encoding="utf-8")


def test_a_template_that_cannot_be_read(tmp_path: Path) -> None:
    result = expand(str(tmp_path / TEMPLATE), "--output-dir", str(tmp_path))
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
