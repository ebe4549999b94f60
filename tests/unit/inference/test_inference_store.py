import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_common.messages import ModelIdentity
from edge_inference.errors import DigestMismatchError, ModelError, NoSpaceError, UnsafeModelError
from edge_inference.layout import pack
from edge_inference.package import FILEPATH, blob_name, digest_of
from edge_inference.sources import LayoutSource
from edge_inference.store import Allowance, ModelStore
from support.models import contract, write_model

LIMIT = 1 << 20
ALLOWED = Allowance(package=LIMIT, total=4 * LIMIT)

Forgery = Callable[[dict[str, Any]], None]


class Forger:
    """A layout whose packages bear the right digests and the wrong contents."""

    def __init__(self, folder: Path) -> None:
        self.layout = folder / "layout"
        self.digest = pack(write_model(folder / "files", contract()), self.layout, "teller", "1").partition("@")[2]

    def source(self, digest: str = "") -> LayoutSource:
        return LayoutSource(self.layout, digest or self.digest)

    def put(self, data: bytes) -> str:
        digest = digest_of(data)
        (self.layout / blob_name(digest)).write_bytes(data)
        return digest

    def forge(self, change: Forgery) -> str:
        """The digest of the package with its manifest changed."""
        document = json.loads(self.source().manifest())
        change(document)
        return self.put(json.dumps(document).encode())


@pytest.fixture
def forger(tmp_path: Path) -> Forger:
    return Forger(tmp_path)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "store"


def go_on(_seconds: float) -> None:
    pass


def wanted(digest: str) -> ModelIdentity:
    return ModelIdentity(name="teller", version="1", digest=digest)


def left(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def named(name: str) -> Forgery:
    def change(document: dict[str, Any]) -> None:
        document["layers"].append(
            {**document["layers"][0], "annotations": {FILEPATH: name}},
        )

    return change


def resized(by: int) -> Forgery:
    def change(document: dict[str, Any]) -> None:
        document["layers"][0]["size"] += by

    return change


def as_index(document: dict[str, Any]) -> None:
    document["mediaType"] = "application/vnd.oci.image.index.v1+json"
    document["manifests"] = []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (as_index, UnsafeModelError),
        (named("../../escaped"), UnsafeModelError),
        (named("/tmp/escaped"), UnsafeModelError),  # noqa: S108 - never written
        (named("model.onnx"), UnsafeModelError),
        (named("MODEL.onnx"), UnsafeModelError),
        (named("a\0b"), UnsafeModelError),
        (named("x" * 300), UnsafeModelError),
        (resized(-1), DigestMismatchError),
        (resized(1), DigestMismatchError),
        (resized(LIMIT), NoSpaceError),
        (resized(1 << 60), NoSpaceError),
    ],
)
def test_forged_packages_are_refused_and_leave_nothing(
    forger: Forger, root: Path, change: Forgery, error: type[ModelError]
) -> None:
    store, digest = ModelStore(root), forger.forge(change)
    with pytest.raises(error):
        store.admit(wanted(digest), forger.source(digest), ALLOWED, go_on)
    assert not left(root)
    assert not store.holds(digest)


def test_a_package_larger_than_the_disk_is_refused(forger: Forger, root: Path) -> None:
    digest = forger.forge(resized(1 << 60))
    with pytest.raises(NoSpaceError, match="free"):
        ModelStore(root).admit(wanted(digest), forger.source(digest), Allowance(1 << 61, 1 << 62), go_on)


def test_a_manifest_of_any_size_is_not_read(forger: Forger, root: Path) -> None:
    digest = forger.put(b" " * ((4 << 20) + 1))
    with pytest.raises(UnsafeModelError, match="over"):
        ModelStore(root).admit(wanted(digest), forger.source(digest), ALLOWED, go_on)


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_refuses_leaves_nothing_behind(forger: Forger, root: Path) -> None:
    with no_file_over(500), pytest.raises(NoSpaceError):
        ModelStore(root).admit(wanted(forger.digest), forger.source(), ALLOWED, go_on)
    assert not left(root)


def test_what_an_interrupted_copy_left_is_removed(root: Path) -> None:
    (root / ".0123.tmp" / "files").mkdir(parents=True)
    (root / ".0123.tmp" / "files" / "model.onnx").write_bytes(b"half")
    ModelStore(root)
    assert not left(root)


def flip(files: Path) -> None:
    data = bytearray((files / "model.onnx").read_bytes())
    data[-1] ^= 1
    (files / "model.onnx").chmod(0o644)
    (files / "model.onnx").write_bytes(data)


def remove(files: Path) -> None:
    (files / "contract.json").unlink()


def add(files: Path) -> None:
    (files / "weights.bin").write_bytes(b"more")


def other_manifest(files: Path) -> None:
    (files.parent / "manifest.json").chmod(0o644)
    (files.parent / "manifest.json").write_bytes(b"{}")


@pytest.mark.parametrize("damage", [flip, remove, add, other_manifest])
def test_damage_is_noticed_and_mended(forger: Forger, root: Path, damage: Callable[[Path], None]) -> None:
    store = ModelStore(root)
    store.admit(wanted(forger.digest), forger.source(), ALLOWED, go_on)
    damage(store.files(forger.digest))
    assert not store.holds(forger.digest)
    store.admit(wanted(forger.digest), forger.source(), ALLOWED, go_on)
    assert store.holds(forger.digest)
