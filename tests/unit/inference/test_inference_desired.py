from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_inference.desired import DesiredModel, Places, Reference
from edge_inference.errors import BadDesiredError
from edge_inference.registry.registries import Registries, RegistrySource
from edge_inference.sources import FolderSource, LayoutSource

DIGEST = "sha256:" + "ab" * 32
GOOD: dict[str, Any] = {"schema": 1, "name": "digits", "version": "1.0.0", "ref": f"oci:models/digits@{DIGEST}"}


@pytest.fixture
def registries() -> Iterator[Registries]:
    opened = Registries.connect(["registry.example", "http://edge:5000"], None, None)
    yield opened
    opened.close()


def test_a_reference_names_folder_and_digest() -> None:
    assert Reference.parse(f"oci:models/digits@{DIGEST}") == Reference("oci", "models/digits", DIGEST)
    assert Reference.parse(f"dir:v1@{DIGEST}") == Reference("dir", "v1", DIGEST)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "models/digits",
        f"models@{DIGEST}",
        f"ftp:models@{DIGEST}",
        f"oci:@{DIGEST}",
        "oci:models:1.0.0",
        "oci:models@sha256:abcd",
        f"oci:models@{DIGEST}0",
        f"oci:models@{DIGEST.upper()}",
        "registry.example/digits:1",
        f"registry/digits@{DIGEST}",
        f"Registry.example/digits@{DIGEST}",
        f"https://registry.example/digits@{DIGEST}",
        f"registry.example/../digits@{DIGEST}",
        f"user:secret@registry.example/digits@{DIGEST}",
        f"oci:a\0b@{DIGEST}",
        f" oci:models@{DIGEST}",
        f"oci:models@{DIGEST}\n",
    ],
)
def test_what_is_not_pinned_is_no_reference(text: str) -> None:
    with pytest.raises(BadDesiredError, match="ref"):
        DesiredModel.read({**GOOD, "ref": text})


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (None, "model"),
        ("digits", "model"),
        ([], "model"),
        ({}, "schema"),
        ({**GOOD, "schema": 2}, "schema"),
        ({**GOOD, "schema": "1"}, "schema"),
        ({**GOOD, "name": None}, "name"),
        ({**GOOD, "name": 7}, "name"),
        ({**GOOD, "version": 1.0}, "version"),
        ({**GOOD, "version": "1/0"}, "version"),
        ({**GOOD, "ref": None}, "ref"),
        ({**GOOD, "requestId": 5}, "requestId"),
        ({**GOOD, "swop": "now"}, "swop"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(value: Any, named: str) -> None:
    with pytest.raises(BadDesiredError, match=named):
        DesiredModel.read(value)


def test_every_error_is_named() -> None:
    with pytest.raises(BadDesiredError, match=r"name: .*; version: .*; ref: "):
        DesiredModel.read({"schema": 1})


def test_identity_and_source_follow_from_it(tmp_path: Path, registries: Registries) -> None:
    desired = DesiredModel.read({**GOOD, "requestId": "7"})
    assert (desired.identity.name, desired.identity.version, desired.identity.digest) == ("digits", "1.0.0", DIGEST)
    places = Places(tmp_path, registries)
    assert isinstance(desired.source(places), LayoutSource)
    assert isinstance(DesiredModel.read({**GOOD, "ref": f"dir:v1@{DIGEST}"}).source(places), FolderSource)


@pytest.mark.parametrize("folder", ["..", "../elsewhere", "/etc", "a/../../b", "link"])
def test_a_reference_stays_in_the_model_folder(tmp_path: Path, registries: Registries, folder: str) -> None:
    root = tmp_path / "models"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(BadDesiredError, match="leads out"):
        DesiredModel.read({**GOOD, "ref": f"dir:{folder}@{DIGEST}"}).source(Places(root, registries))


@pytest.mark.parametrize("place", ["registry.example/digits", "registry.example/a/b-c/d.e__f", "edge:5000/digits"])
def test_a_reference_names_registry_and_digest(tmp_path: Path, registries: Registries, place: str) -> None:
    desired = DesiredModel.read({**GOOD, "ref": f"{place}@{DIGEST}"})
    assert Reference.parse(desired.ref) == Reference("registry", place, DIGEST)
    source = desired.source(Places(tmp_path, registries))
    assert isinstance(source, RegistrySource)
    assert source.digest == DIGEST


@pytest.mark.parametrize("place", ["other.example/digits", "registry.example:444/digits", "localhost/digits"])
def test_only_the_deployments_registries_are_asked(tmp_path: Path, registries: Registries, place: str) -> None:
    with pytest.raises(BadDesiredError, match=r"registry\.example"):
        DesiredModel.read({**GOOD, "ref": f"{place}@{DIGEST}"}).source(Places(tmp_path, registries))
