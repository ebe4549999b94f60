import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_inference.errors import UnsafeModelError
from edge_inference.package import (
    CONFIG_TYPE,
    FILEPATH,
    TITLE,
    Descriptor,
    check_names,
    compose,
    digest_of,
    layer,
    read_config,
    read_manifest,
)

NEEDED = ["model.onnx", "contract.json"]


def layers(*more: str) -> list[Descriptor]:
    return [layer(name, digest_of(name.encode()), len(name)) for name in [*NEEDED, *more]]


def test_the_same_files_in_any_order_give_the_same_digest() -> None:
    one = compose("digits", "1", layers("a.bin", "LICENSE"))
    other = compose("digits", "1", reversed(layers("a.bin", "LICENSE")))
    assert one == other
    assert compose("digits", "2", layers("a.bin", "LICENSE")).digest != one.digest


def test_a_package_is_a_model_pack_that_reads_back() -> None:
    package = compose("digits", "1.0.0", layers("labels.txt", "docs/card.md", "model.onnx.data"))
    document = json.loads(package.manifest)
    assert document["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    assert document["config"] == {
        "mediaType": CONFIG_TYPE,
        "digest": digest_of(package.config),
        "size": len(package.config),
    }
    manifest = read_manifest(package.manifest)
    assert {
        name: blob.media_type.removeprefix("application/vnd.cncf.model.") for name, blob in manifest.files.items()
    } == {
        "contract.json": "weight.config.v1.raw",
        "docs/card.md": "doc.v1.raw",
        "labels.txt": "weight.config.v1.raw",
        "model.onnx": "weight.v1.raw",
        "model.onnx.data": "weight.v1.raw",
    }
    assert all(blob.annotations[TITLE] == name for name, blob in manifest.files.items())
    assert read_config(package.config) == ("digits", "1.0.0")


def test_the_config_has_what_model_pack_requires() -> None:
    config = json.loads(compose("digits", "1.0.0", layers()).config)
    assert config["descriptor"] == {"name": "digits", "version": "1.0.0"}
    assert config["modelfs"] == {"type": "layers", "diffIds": [digest_of(b"contract.json"), digest_of(b"model.onnx")]}
    assert config["config"] == {"format": "onnx"}


@pytest.mark.parametrize("text", ["", "-v1", "a b", "a/b", "ä", "a" * 129])
def test_unusable_names_and_versions_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        compose(text, "1", layers())
    with pytest.raises(ValueError, match="no name"):
        compose("digits", text, layers())


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../up",
        "a/../b",
        "a//b",
        "./a",
        "a/",
        "a\0b",
        "a\\b",
        "x" * 256,
        "model.onnx",
        "Model.ONNX",
        "model.onnx/under",
        "MODEL.onnx/under",
    ],
)
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(UnsafeModelError):
        check_names([*NEEDED, name])


@pytest.mark.parametrize("names", [[], ["model.onnx"], ["contract.json"], ["MODEL.ONNX", "contract.json"]])
def test_half_a_package_is_none(names: list[str]) -> None:
    with pytest.raises(UnsafeModelError, match="holds"):
        check_names(names)


def edited(**changes: object) -> bytes:
    return json.dumps({**json.loads(compose("digits", "1", layers()).manifest), **changes}).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        edited(mediaType="application/vnd.oci.image.index.v1+json"),
        edited(artifactType="application/vnd.example"),
        edited(schemaVersion=1),
        edited(layers=[]),
        edited(layers=[{"mediaType": "x.raw", "digest": "sha256:00", "size": 1}]),
        edited(layers=[{"mediaType": "x.raw", "digest": digest_of(b""), "size": -1}]),
        edited(layers=[{"mediaType": "x.raw", "digest": digest_of(b""), "size": 1}]),
        edited(layers=[{"mediaType": "x.tar", "digest": digest_of(b""), "size": 1, "annotations": {FILEPATH: "a"}}]),
        edited(config={"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b""), "size": 2}),
    ],
)
def test_what_is_no_model_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(UnsafeModelError):
        read_manifest(data)


@given(st.binary())
def test_no_bytes_break_the_readers(data: bytes) -> None:
    for read in (read_manifest, read_config):
        with pytest.raises(UnsafeModelError):
            read(data)
