from pathlib import Path
from typing import Any

import pytest

from edge_inference.desired import DesiredModel, Reference
from edge_inference.errors import BadDesiredError
from edge_inference.sources import FolderSource, LayoutSource

DIGEST = "sha256:" + "ab" * 32
GOOD: dict[str, Any] = {"schema": 1, "name": "digits", "version": "1.0.0", "ref": f"oci:models/digits@{DIGEST}"}


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
        f"registry.example/digits@{DIGEST}",
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


def test_identity_and_source_follow_from_it(tmp_path: Path) -> None:
    desired = DesiredModel.read({**GOOD, "requestId": "7"})
    assert (desired.identity.name, desired.identity.version, desired.identity.digest) == ("digits", "1.0.0", DIGEST)
    assert isinstance(desired.source(tmp_path), LayoutSource)
    assert isinstance(DesiredModel.read({**GOOD, "ref": f"dir:v1@{DIGEST}"}).source(tmp_path), FolderSource)


@pytest.mark.parametrize("folder", ["..", "../elsewhere", "/etc", "a/../../b", "link"])
def test_a_reference_stays_in_the_model_folder(tmp_path: Path, folder: str) -> None:
    root = tmp_path / "models"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(BadDesiredError, match="leads out"):
        DesiredModel.read({**GOOD, "ref": f"dir:{folder}@{DIGEST}"}).source(root)
