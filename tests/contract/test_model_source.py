"""What every source of models does, and what the store makes of what sources hand out."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from edge_common.messages import ModelIdentity
from edge_inference.desired import DesiredModel, Places
from edge_inference.errors import DigestMismatchError, NoSpaceError, NotFoundError, UnsafeModelError
from edge_inference.layout import pack
from edge_inference.package import blob_name, digest_of, read_config, read_manifest
from edge_inference.patience import Patience
from edge_inference.registry.registries import Registries, RegistrySource
from edge_inference.registry.repository import Repository
from edge_inference.sources import ModelSource
from edge_inference.store import Allowance, ModelStore
from edge_inference.transfer import push
from support.models import contract, write_model
from support.registry import RegistryServer, repository, running_registry

ALLOWED = Allowance(package=1 << 20, total=4 << 20)


class Shelf(Protocol):
    """One package, as a source has it.

    Attributes:
        digest: The package's.
    """

    digest: str

    def source(self) -> ModelSource:
        """The source."""

    def file(self, name: str) -> Path:
        """Where a file of the package lies."""

    def lose(self) -> None:
        """The package is there no longer."""


class LocalShelf:
    """A package under ``MODEL_DIR``: a layout (``oci``), or unpacked (``dir``)."""

    def __init__(self, root: Path, kind: str) -> None:
        self.root = root
        self.kind = kind
        files = write_model(root / "files", contract())
        self.digest = pack(files, root / "layout", "teller", "1").partition("@")[2]

    def source(self) -> ModelSource:
        folder = {"oci": "layout", "dir": "files"}[self.kind]
        value = {"schema": 1, "name": "teller", "version": "1", "ref": f"{self.kind}:{folder}@{self.digest}"}
        return DesiredModel.read(value).source(Places(self.root, Registries.connect((), None, None)))

    def file(self, name: str) -> Path:
        if self.kind == "dir":
            return self.root / "files" / name
        manifest = read_manifest(self.source().manifest())
        return self.root / "layout" / blob_name(manifest.files[name].digest)

    def lose(self) -> None:
        self.root.rename(self.root.with_name("gone"))


class RegistryShelf:
    """A package in a registry of its own: what is spoilt there harms no other test."""

    def __init__(self, server: RegistryServer, repository: Repository, folder: Path) -> None:
        self._server = server
        self._repository = repository
        pushed = LocalShelf(folder, "oci")
        self.digest = push(pushed.source(), repository, "1", Patience(), time.sleep)

    def source(self) -> ModelSource:
        return RegistrySource(self._repository, self.digest)

    def file(self, name: str) -> Path:
        return self._server.blob(read_manifest(self.source().manifest()).files[name].digest)

    def lose(self) -> None:
        shutil.rmtree(self._server.repository_folder("models/teller"))


@pytest.fixture(params=["oci", "dir"])
def local_shelf(request: pytest.FixtureRequest, tmp_path: Path) -> LocalShelf:
    return LocalShelf(tmp_path / "models", request.param)


@pytest.fixture(params=["oci", "dir", "registry"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shelf]:
    if request.param != "registry":
        yield LocalShelf(tmp_path / "models", request.param)
        return
    with running_registry(tmp_path / "registry") as server, repository(server.base) as teller:
        yield RegistryShelf(server, teller, tmp_path / "models")


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "store")


def go_on(_seconds: float) -> None:
    pass


def wanted(digest: str) -> ModelIdentity:
    return ModelIdentity(name="teller", version="1", digest=digest)


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


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
    store.admit(wanted(shelf.digest), shelf.source(), ALLOWED, go_on)
    assert store.holds(shelf.digest)
    assert store.identity(shelf.digest).version == "1"
    files = store.files(shelf.digest)
    assert {path.name for path in files.iterdir()} == {"contract.json", "labels.txt", "model.onnx"}
    graph = files / "model.onnx"
    assert graph.read_bytes() == shelf.file("model.onnx").read_bytes()
    assert not graph.samefile(shelf.file("model.onnx"))


def test_what_is_not_there_is_not_found(shelf: Shelf, store: ModelStore) -> None:
    source = shelf.source()
    shelf.lose()
    with pytest.raises(NotFoundError):
        store.admit(wanted(shelf.digest), source, ALLOWED, go_on)


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


@pytest.mark.parametrize("spoil", [flip, truncate, empty, lengthen])
def test_other_bytes_are_refused_and_leave_nothing(
    shelf: Shelf, store: ModelStore, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    source = shelf.source()
    source.manifest()
    spoil(shelf.file("model.onnx"))
    with pytest.raises(DigestMismatchError):
        store.admit(wanted(shelf.digest), source, ALLOWED, go_on)
    assert not store.holds(shelf.digest)
    assert not left(tmp_path / "store")


def test_a_file_that_is_gone_is_not_found(shelf: Shelf, store: ModelStore, tmp_path: Path) -> None:
    shelf.file("model.onnx").unlink()
    with pytest.raises((NotFoundError, UnsafeModelError)):
        store.admit(wanted(shelf.digest), shelf.source(), ALLOWED, go_on)
    assert not left(tmp_path / "store")


@pytest.mark.parametrize("spoil", [symlink, hard_link, pipe, folder])
def test_what_is_no_plain_file_is_refused_and_leaves_nothing(
    local_shelf: LocalShelf, store: ModelStore, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(local_shelf.file("model.onnx"))
    with pytest.raises(UnsafeModelError):
        store.admit(wanted(local_shelf.digest), local_shelf.source(), ALLOWED, go_on)
    assert not store.holds(local_shelf.digest)
    assert not left(tmp_path / "store")


def test_another_package_is_refused(shelf: Shelf, store: ModelStore) -> None:
    other = "sha256:" + "0" * 64
    with pytest.raises(DigestMismatchError):
        store.admit(wanted(other), shelf.source(), ALLOWED, go_on)


def test_a_package_over_the_limit_is_refused(shelf: Shelf, store: ModelStore) -> None:
    with pytest.raises(NoSpaceError, match="maxModelBytes"):
        store.admit(wanted(shelf.digest), shelf.source(), Allowance(100, 1 << 20), go_on)


def test_a_blob_can_be_had_from_any_byte_on(shelf: Shelf) -> None:
    source = shelf.source()
    blob = read_manifest(source.manifest()).files["model.onnx"]
    whole = shelf.file("model.onnx").read_bytes()
    for at in (0, 1, 100, blob.size - 1):
        with source.open(blob, at) as file:
            assert b"".join(iter(lambda: file.read(50), b"")) == whole[at:]


def test_what_was_called_off_is_gone_on_with(shelf: Shelf, store: ModelStore) -> None:
    def call_off(_seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.admit(wanted(shelf.digest), shelf.source(), ALLOWED, call_off)
    assert not store.holds(shelf.digest)
    store.admit(wanted(shelf.digest), shelf.source(), ALLOWED, go_on)
    assert store.holds(shelf.digest)
