"""Packages in container images: what is taken out of them, and what is refused."""

import gzip
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_common.messages import ModelIdentity
from edge_inference.errors import DigestMismatchError, NoSpaceError, UnsafeModelError
from edge_inference.package import blob_name
from edge_inference.patience import Patience
from edge_inference.registry.registries import RegistrySource
from edge_inference.sources import LayoutSource
from edge_inference.transfer import pull, push
from support.images import ALLOWED, Builder, Entry, file, go_on, link, tar
from support.registry import RegistryServer, repository


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    return Builder(tmp_path)


def test_the_files_under_models_are_the_package(builder: Builder) -> None:
    found = builder.admit(builder.image(builder.zipped(file("etc/passwd"), file("models/sub/weights.bin"))))
    assert {*found} == {"contract.json", "labels.txt", "model.onnx", "sub/weights.bin"}
    assert found["model.onnx"] == next(content for info, content in builder.model if info.name == "models/model.onnx")


def test_what_the_image_has_besides_is_not_kept(builder: Builder) -> None:
    builder.admit(builder.image(builder.zipped(file("usr/lib/large", b"0" * 100_000))))
    assert sum(path.stat().st_size for path in builder.root.glob("blobs/sha256/*")) < 10_000


def test_plain_tars_and_dockers_types_are_read(builder: Builder) -> None:
    plain = builder.image(tar(builder.model), kind="application/vnd.oci.image.layer.v1.tar")
    docker = builder.image(
        builder.zipped(),
        kind="application/vnd.docker.image.rootfs.diff.tar.gzip",
        config="application/vnd.docker.container.image.v1+json",
    )
    assert builder.admit(plain) == builder.admit(docker)


@pytest.mark.parametrize(
    ("upper", "names"),
    [
        ([file("models/labels.txt", b"new")], {"labels.txt": b"new", "extra/a": b"a"}),
        ([file("models/.wh.labels.txt", b"")], {"extra/a": b"a"}),
        (
            [file("models/extra/.wh..wh..opq", b""), file("models/extra/b", b"b")],
            {"labels.txt": b"old", "extra/b": b"b"},
        ),
        ([file("models/.wh.extra", b"")], {"labels.txt": b"old"}),
        ([file("models/extra", b"a file")], {"labels.txt": b"old", "extra": b"a file"}),
        ([file("./models/labels.txt", b"new")], {"labels.txt": b"new", "extra/a": b"a"}),
        ([file("/models/labels.txt", b"new")], {"labels.txt": b"new", "extra/a": b"a"}),
    ],
)
def test_layers_lie_over_each_other(builder: Builder, upper: list[Entry], names: dict[str, bytes]) -> None:
    model = [entry for entry in builder.model if entry[0].name != "models/labels.txt"]
    lower = [*model, file("models/labels.txt", b"old"), file("models/extra/a", b"a")]
    found = builder.admit(builder.image(gzip.compress(tar(lower)), gzip.compress(tar(upper))))
    assert {name: content for name, content in found.items() if name not in {"model.onnx", "contract.json"}} == names


@pytest.mark.parametrize(
    "entry",
    [
        file("models/../escaped"),
        file("models/a/../../../escaped"),
        file("models//a"),
        file("models/" + "x" * 300),
        file("models/MODEL.onnx"),
        file("models/model.onnx"),
        file("models/model.onnx/below"),
        file("models/back\\slash"),
        link("models/a", tarfile.SYMTYPE, "/etc/passwd"),
        link("models/a", tarfile.LNKTYPE, "models/model.onnx"),
        link("models/a", tarfile.FIFOTYPE),
        link("models/a", tarfile.CHRTYPE),
        link("models", tarfile.SYMTYPE, "/etc"),
        file("models", b"a file"),
    ],
    ids=lambda entry: f"{entry[0].name[:30]}-{entry[0].type!r}",
)  # fmt: skip
def test_tricks_are_refused_and_leave_nothing(builder: Builder, tmp_path: Path, entry: Entry) -> None:
    with pytest.raises(UnsafeModelError):
        builder.admit(builder.image(builder.zipped(entry)))
    assert not [path for path in builder.root.rglob("*") if path.is_file()]
    assert not [*tmp_path.rglob("escaped")]


def half(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def not_zipped(packed: bytes) -> bytes:
    return gzip.decompress(packed)


def not_a_tar(_packed: bytes) -> bytes:
    return gzip.compress(b"not a tar" * 1000)


def large_header(_packed: bytes) -> bytes:
    info = tarfile.TarInfo("huge")
    info.type = tarfile.XHDTYPE
    info.size = 1 << 33
    return gzip.compress(info.tobuf())


@pytest.mark.parametrize("spoil", [half, not_zipped, not_a_tar, large_header])
def test_what_is_no_layer_is_refused(builder: Builder, spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnsafeModelError):
        builder.admit(builder.image(spoil(builder.zipped())))


@pytest.mark.parametrize("inside", ["models/weights.bin", "usr/weights.bin"])
def test_a_bomb_is_refused_before_it_goes_off(builder: Builder, inside: str) -> None:
    packed = builder.zipped(file(inside, bytes(50 << 20)))
    assert len(packed) < 100_000
    with pytest.raises(NoSpaceError, match="unpacked"):
        builder.admit(builder.image(packed))
    assert not [path for path in builder.root.rglob("*") if path.is_file()]


def test_an_image_without_a_model_is_refused(builder: Builder) -> None:
    with pytest.raises(UnsafeModelError, match=r"model\.onnx"):
        builder.admit(builder.image(gzip.compress(tar([file("etc/passwd")]))))


def test_layers_that_cannot_be_unpacked_are_named(builder: Builder) -> None:
    with pytest.raises(UnsafeModelError, match="zstd"):
        builder.admit(builder.image(builder.zipped(), kind="application/vnd.oci.image.layer.v1.tar+zstd"))


def test_damage_is_noticed(builder: Builder) -> None:
    digest = builder.image(builder.zipped())
    builder.admit(digest)
    graph = builder.store.files(digest) / "labels.txt"
    graph.chmod(0o644)
    graph.write_bytes(b"other")
    assert not builder.store.holds(digest)
    builder.admit(digest)


def test_an_image_goes_through_a_registry(builder: Builder, tmp_path: Path, registry_server: RegistryServer) -> None:
    digest = builder.image(builder.zipped())
    with repository(registry_server.base, "kserve/car") as cars:
        assert push(LayoutSource(builder.layout, digest), cars, "1", Patience(5), go_on) == digest
        wanted = ModelIdentity(name="teller", version="1", digest=digest)
        builder.store.admit(wanted, RegistrySource(cars, digest), ALLOWED, go_on)
        assert builder.store.holds(digest)
        assert pull(RegistrySource(cars, "1"), "", tmp_path / "copy", "car:1", Patience(5), go_on) == digest
        with pytest.raises(DigestMismatchError):
            pull(RegistrySource(cars, "1"), "sha256:" + "0" * 64, tmp_path / "copy", "", Patience(5), go_on)
    assert (tmp_path / "copy" / blob_name(digest)).read_bytes() == (builder.layout / blob_name(digest)).read_bytes()
