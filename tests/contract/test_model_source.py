"""What every source of models does, and what the store makes of what sources hand out."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_inference.desired import DesiredModel
from edge_inference.errors import DigestMismatchError, ModelError, NoSpaceError, NotFoundError, UnsafeModelError
from edge_inference.layout import pack
from edge_inference.package import digest_of, read_config, read_manifest
from edge_inference.sources import ModelSource
from edge_inference.store import ModelStore
from support.models import contract, write_model

LIMIT = 1 << 20


class Shelf:
    """One package, as a source has it.

    Attributes:
        root: ``MODEL_DIR``.
        kind: ``oci`` or ``dir``.
        digest: The package's.
    """

    def __init__(self, root: Path, kind: str) -> None:
        self.root = root
        self.kind = kind
        files = write_model(root / "files", contract())
        self.digest = pack(files, root / "layout", "teller", "1").partition("@")[2]

    def source(self) -> ModelSource:
        folder = {"oci": "layout", "dir": "files"}[self.kind]
        value = {"schema": 1, "name": "teller", "version": "1", "ref": f"{self.kind}:{folder}@{self.digest}"}
        return DesiredModel.read(value).source(self.root)

    def file(self, name: str) -> Path:
        """Where a file of the package lies."""
        if self.kind == "dir":
            return self.root / "files" / name
        manifest = read_manifest(self.source().manifest())
        return self.root / "layout" / "blobs" / manifest.files[name].digest.replace(":", "/")


@pytest.fixture(params=["oci", "dir"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "models", request.param)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


def go_on() -> None:
    pass


def test_a_source_hands_out_manifest_and_blobs(shelf: Shelf) -> None:
    source = shelf.source()
    data = source.manifest()
    assert digest_of(data) == shelf.digest
    manifest = read_manifest(data)
    for blob in (manifest.config, *manifest.layers):
        with source.open(blob) as file:
            assert digest_of(file.read()) == blob.digest
    with source.open(manifest.config) as file:
        assert read_config(file.read()) == ("teller", "1")


def test_what_is_admitted_is_whole_and_the_stores_own(shelf: Shelf, store: ModelStore) -> None:
    assert not store.holds(shelf.digest)
    store.admit(shelf.digest, shelf.source(), LIMIT, go_on)
    assert store.holds(shelf.digest)
    assert store.identity(shelf.digest).version == "1"
    files = store.files(shelf.digest)
    assert {path.name for path in files.iterdir()} == {"contract.json", "labels.txt", "model.onnx"}
    graph = files / "model.onnx"
    assert graph.read_bytes() == shelf.file("model.onnx").read_bytes()
    assert not graph.samefile(shelf.file("model.onnx"))


def test_what_is_not_there_is_not_found(shelf: Shelf, store: ModelStore) -> None:
    source = shelf.source()
    shelf.root.rename(shelf.root.with_name("gone"))
    with pytest.raises(NotFoundError):
        store.admit(shelf.digest, source, LIMIT, go_on)


def flip(path: Path) -> None:
    path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"more")


def symlink(path: Path) -> None:
    path.rename(path.with_name("aside"))
    path.symlink_to(path.with_name("aside"))


def hard_link(path: Path) -> None:
    os.link(path, path.parents[2] / "aside")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "errors"),
    [
        (flip, (DigestMismatchError,)),
        (truncate, (DigestMismatchError,)),
        (empty, (DigestMismatchError,)),
        (lengthen, (DigestMismatchError,)),
        (symlink, (UnsafeModelError,)),
        (hard_link, (UnsafeModelError,)),
        (pipe, (UnsafeModelError,)),
        (folder, (UnsafeModelError,)),
        (Path.unlink, (NotFoundError, UnsafeModelError)),
    ],
)
def test_a_spoilt_file_is_refused_and_leaves_nothing(
    shelf: Shelf, store: ModelStore, tmp_path: Path, spoil: Callable[[Path], None], errors: tuple[type[ModelError], ...]
) -> None:
    spoil(shelf.file("model.onnx"))
    with pytest.raises(errors):
        store.admit(shelf.digest, shelf.source(), LIMIT, go_on)
    assert not store.holds(shelf.digest)
    assert not [*(tmp_path / "store").iterdir()]


def test_another_package_is_refused(shelf: Shelf, store: ModelStore) -> None:
    other = "sha256:" + "0" * 64
    with pytest.raises(DigestMismatchError):
        store.admit(other, shelf.source(), LIMIT, go_on)


def test_a_package_over_the_limit_is_refused(shelf: Shelf, store: ModelStore) -> None:
    with pytest.raises(NoSpaceError, match="maxModelBytes"):
        store.admit(shelf.digest, shelf.source(), 100, go_on)


def test_a_copy_can_be_called_off_and_leaves_nothing(shelf: Shelf, store: ModelStore, tmp_path: Path) -> None:
    def call_off() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.admit(shelf.digest, shelf.source(), LIMIT, call_off)
    assert not [*(tmp_path / "store").iterdir()]
