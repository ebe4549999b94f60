from pathlib import Path

import pytest

from edge_simulator.manifest import ManifestError
from edge_simulator.manifest.dockerfile import ImageCommand, read_command
from edge_simulator.manifest.images import Project, read_pins
from support.manifests import write, write_module


def project(folder: Path, platform: str = "amd64", **env: str) -> Project:
    return Project(folder / "deployment.template.json", env, platform)


@pytest.mark.parametrize(
    ("placeholder", "image"),
    [
        ("${MODULES.camera}", "registry.test/camera:1.0-amd64"),
        ("${MODULES.camera.arm64}", "registry.test/camera:1.0-arm64"),
        ("${MODULES.camera.debug}", "registry.test/camera:1.0-amd64.debug"),
        ("${MODULES.camera.amd64.debug}", "registry.test/camera:1.0-amd64.debug"),
        ("${MODULES.camera.amd64.gpu}", "registry.test/camera:1.0-amd64.gpu"),
        ("${MODULEDIR<modules/camera>}", "registry.test/camera:1.0-amd64"),
        ("${MODULEDIR<./modules/camera>.arm64}", "registry.test/camera:1.0-arm64"),
        ("${OTHER} $MODULES", "${OTHER} $MODULES"),
    ],
)
def test_placeholders(tmp_path: Path, placeholder: str, image: str) -> None:
    write_module(tmp_path / "modules/camera", amd64="Dockerfile", amd64_gpu="Dockerfile.gpu")
    assert project(tmp_path).fill_in(f'"{placeholder}"') == f'"{image}"'


def test_a_variant_falls_back_to_the_platform_where_a_module_has_none(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera")
    assert project(tmp_path, "amd64.gpu").fill_in("${MODULES.camera}") == "registry.test/camera:1.0-amd64"
    assert project(tmp_path, "amd64").fill_in("${MODULES.camera.debug}") == "registry.test/camera:1.0-amd64.debug"


def test_names_are_lower_case_and_hold_variables_and_a_container_tag(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera", repository="$SERVER/Team/Camera")
    filled = project(tmp_path, SERVER="registry.test", CONTAINER_TAG="rc1").fill_in("${MODULES.camera}")
    assert filled == "registry.test/team/camera:1.0-rc1-amd64"


def test_a_variable_without_a_value_keeps_its_name(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera", repository="${SERVER}/camera", dockerfile='CMD ["run"]')
    image = project(tmp_path).fill_in("${MODULES.camera}")
    assert image == "${SERVER}/camera:1.0-amd64"
    assert project(tmp_path).command(image).cmd == ("run",)


def test_the_modules_folder_has_a_name_and_may_lie_above(tmp_path: Path) -> None:
    write_module(tmp_path / "parts/camera")
    (tmp_path / "config").mkdir()
    assert project(tmp_path, MODULES_PATH="parts").fill_in("${MODULES.camera}").startswith("registry.test")
    assert project(tmp_path / "config", MODULES_PATH="parts").fill_in("${MODULES.camera}").startswith("registry.test")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"image": {"repository": "r", "tag": {"version": 1}}}'])
def test_a_module_json_of_another_form(tmp_path: Path, text: str) -> None:
    write_module(tmp_path / "modules/camera")
    write(text, tmp_path / "modules/camera", "module.json")
    with pytest.raises(ManifestError, match=r"module\.json"):
        project(tmp_path).fill_in("${MODULES.camera}")


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"nowhere/module\.json: cannot be read"):
        project(tmp_path).fill_in("${MODULES.nowhere}")


@pytest.mark.parametrize(
    ("image", "program"),
    [
        ("registry.test/camera:1.0-amd64", "camera"),
        ("registry.test/Camera:2.0", "camera"),
        ("registry.test/camera", "camera"),
        ("registry.test/camera:1.0-amd64@sha256:" + "0" * 64, "camera"),
        ("registry.test/camera@sha256:" + "0" * 64, "camera"),
        ("registry.test:5000/scale:1.0-amd64", "scale"),
    ],
)
def test_the_command_of_an_image(tmp_path: Path, image: str, program: str) -> None:
    write_module(tmp_path / "modules/camera", dockerfile='ENTRYPOINT ["camera"]')
    write_module(tmp_path / "modules/scale", repository="registry.test:5000/scale", dockerfile='ENTRYPOINT ["scale"]')
    assert project(tmp_path).command(image) == ImageCommand((program,))


def test_images_from_elsewhere_have_no_known_command(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera")
    assert project(tmp_path).command("registry.test/other:1.0") == ImageCommand()
    assert project(tmp_path, "arm64").command("registry.test/camera:2.0") == ImageCommand()


def test_the_dockerfile_is_that_of_the_platform_in_the_name(tmp_path: Path) -> None:
    folder = write_module(tmp_path / "modules/camera", amd64="Dockerfile", amd64_gpu="Dockerfile.gpu")
    write('CMD ["plain"]', folder, "Dockerfile")
    write('CMD ["gpu"]', folder, "Dockerfile.gpu")
    assert project(tmp_path).command("registry.test/camera:1.0-amd64.gpu").cmd == ("gpu",)
    assert project(tmp_path).command("registry.test/camera:1.0-amd64").cmd == ("plain",)
    assert project(tmp_path, "amd64.gpu").command("registry.test/camera:2.0").cmd == ("gpu",)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", ImageCommand()),
        ('FROM base\nENTRYPOINT ["a", "b"]\nCMD ["c"]\n', ImageCommand(("a", "b"), ("c",))),
        ('entrypoint ["a"]\ncmd ["b"]', ImageCommand(("a",), ("b",))),
        ('ENTRYPOINT ["a"]\nENTRYPOINT ["b"]', ImageCommand(("b",))),
        ('CMD ["a"]\nENTRYPOINT ["b"]', ImageCommand(("b",), ("a",))),
        ('FROM one\nENTRYPOINT ["a"]\nFROM two\nCMD ["b"]', ImageCommand((), ("b",))),
        ('ENTRYPOINT \\\n  # a remark\n  ["a", \\\n   "b"]', ImageCommand(("a", "b"))),
        ('# ENTRYPOINT ["no"]\nRUN echo ENTRYPOINT\nCMD ["yes"]', ImageCommand((), ("yes",))),
        ('CMD ["a"]\r\n', ImageCommand((), ("a",))),
    ],
)
def test_dockerfiles(tmp_path: Path, text: str, command: ImageCommand) -> None:
    assert read_command(write(text, tmp_path, "Dockerfile")) == command


@pytest.mark.parametrize("text", ["CMD run --this", "ENTRYPOINT [run]", 'CMD {"a": 1}', "CMD [1]"])
def test_commands_must_be_in_exec_form(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError, match="exec form"):
        read_command(write(text, tmp_path, "Dockerfile"))


def test_a_dockerfile_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_command(tmp_path / "Dockerfile")


def test_a_pushed_image_is_named_by_its_digest_and_runs_the_same(tmp_path: Path) -> None:
    write_module(tmp_path / "modules/camera", dockerfile='ENTRYPOINT ["camera"]')
    record = write('{"registry.test/camera:1.0-amd64": "registry.test/camera@sha256:abc"}', tmp_path, "images.json")
    pinned = Project(tmp_path / "deployment.template.json", {}, "amd64", read_pins(record))

    name = pinned.fill_in("${MODULES.camera}")

    assert name == "registry.test/camera@sha256:abc"
    assert pinned.command(name).entrypoint == ("camera",)
    assert pinned.fill_in("${MODULES.camera.arm64}") == "registry.test/camera:1.0-arm64"


@pytest.mark.parametrize("text", ["[]", "{", '{"registry.test/camera:1.0-amd64": 1}'])
def test_a_record_of_pushed_images_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(ManifestError, match=r"images\.json"):
        read_pins(write(text, tmp_path, "images.json"))
