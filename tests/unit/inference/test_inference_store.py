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
from edge_inference.package import FILEPATH, Descriptor, blob_name, digest_of
from edge_inference.sources import LayoutSource, Stream
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


class Library:
    """Packages that share their largest file, in one layout."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root = folder / "store"
        self.store = ModelStore(self.root)
        self.opened: list[str] = []

    def pack(self, version: str, size: int = 100_000) -> str:
        files = write_model(self._folder / version, contract(version))
        (files / "weights.bin").write_bytes(b"w" * size)
        (files / "own.bin").write_bytes(version.encode() * 10_000)
        return pack(files, self._folder / "layout", "teller", version).partition("@")[2]

    def admit(self, digest: str, total: int = 4 << 20, keep: frozenset[str] = frozenset()) -> None:
        self.store.admit(
            wanted(digest),
            Listening(self._folder / "layout", digest, self.opened),
            Allowance(LIMIT, total, keep),
            go_on,
        )

    def held(self, *digests: str) -> list[bool]:
        return [self.store.holds(digest) for digest in digests]


class Listening(LayoutSource):
    """A source that tells which blobs were asked of it."""

    def __init__(self, folder: Path, digest: str, opened: list[str]) -> None:
        super().__init__(folder, digest)
        self._opened = opened

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        self._opened.append(blob.title)
        return super().open(blob, at)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_what_packages_share_is_fetched_and_stored_once(library: Library) -> None:
    a, b = library.pack("1"), library.pack("2")
    library.admit(a)
    library.admit(b)
    assert library.opened.count("weights.bin") == 1
    assert library.opened.count("own.bin") == 2
    weights = [library.store.files(digest) / "weights.bin" for digest in (a, b)]
    assert weights[0].samefile(weights[1])


def test_what_is_kept_survives_a_collection(library: Library) -> None:
    a, b, c = (library.pack(version) for version in "123")
    for digest in (a, b, c):
        library.admit(digest)
    before = len(left(library.root / "blobs"))
    library.store.collect(frozenset({a, c}))
    assert library.held(a, b, c) == [True, False, True]
    assert len(left(library.root / "blobs")) == before - 5, "its contract, labels, own weights, config, manifest"
    library.store.collect(frozenset())
    assert not left(library.root)


def test_room_is_made_of_what_is_not_kept(library: Library) -> None:
    a, b, c = (library.pack(version) for version in "123")
    library.admit(a)
    library.admit(b)
    taken = sum(path.stat().st_size for path in left(library.root / "blobs"))
    library.admit(c, total=taken, keep=frozenset({a}))
    assert library.held(a, b, c) == [True, False, True]


def test_what_is_kept_is_kept_though_there_is_no_room(library: Library) -> None:
    a, b, c = library.pack("1"), library.pack("2"), library.pack("3", size=200_000)
    library.admit(a)
    library.admit(b)
    with pytest.raises(NoSpaceError, match="maxStoreBytes"):
        library.admit(c, total=250_000, keep=frozenset({a, b}))
    assert library.held(a, b, c) == [True, True, False]


def test_what_a_collection_left_half_done_is_finished(library: Library) -> None:
    a = library.pack("1")
    library.admit(a)
    folder = library.store.files(a).parent
    folder.rename(folder.with_name(".0123.tmp"))
    library.store = ModelStore(library.root)
    assert library.held(a) == [False]
    library.opened.clear()
    library.admit(a)
    assert library.held(a) == [True]
    assert not library.opened, "the blobs were still there"


def test_damage_to_what_is_shared_is_mended(library: Library) -> None:
    a, b = library.pack("1"), library.pack("2")
    library.admit(a)
    weights = library.store.files(a) / "weights.bin"
    weights.chmod(0o644)
    weights.write_bytes(b"x" * 100_000)
    library.admit(b)
    assert library.held(a, b) == [False, True]
    library.admit(a)
    assert library.held(a, b) == [True, True]
