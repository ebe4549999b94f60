"""Wishes and packages that are no good: each has its code, and the active model serves on."""

import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import pytest

from edge_inference.layout import pack
from edge_inference.onnx_session import OnnxSession
from edge_inference.package import FILEPATH, blob_name, digest_of, read_manifest
from edge_inference.patience import Patience
from edge_inference.sources import LayoutSource
from edge_inference.transfer import push
from support.faults import Fault, FaultyRegistry, broken_after, changed, redirect, status
from support.graphs import boasting, bomb, endless, foreign, from_the_future, nan, outside
from support.images import Builder, Entry, file, link
from support.inference import Device
from support.models import contract, graph, write_model
from support.registry import RegistryServer, repository
from support.stalls import SIZE, Referring, published

V1 = contract("v1")
GOOD: dict[str, Any] = {"schema": 1, "name": "teller", "version": "9", "ref": "oci:library@sha256:" + "0" * 64}
Bad = Callable[[Device], dict[str, Any]]


async def refused(device: Device, bad: Bad, code: str) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    await device.refuses(bad(device), code, V1)


def twin(**changes: Any) -> Bad:
    return lambda _: {**GOOD, **changes}


@pytest.mark.parametrize(
    "bad",
    [
        twin(name=None),
        twin(version=None),
        twin(ref=None),
        twin(schema=None),
        twin(name=7),
        twin(version=1.5),
        twin(ref=["oci"]),
        twin(schema="1"),
        twin(swap="soon"),
        twin(shadow=3),
        twin(shadow={"items": -1}),
        twin(gate={"p95Ratio": "2"}),
        twin(gate={"maxErrorRate": 7.0}),
        twin(allowDowngrade="yes"),
        twin(ref="registry.example/teller:latest"),
        twin(ref="registry.example/teller@sha256:" + "0" * 64),
    ],
)
async def test_a_wish_that_makes_no_sense(device: Device, bad: Bad) -> None:
    await refused(device, bad, "BAD_DESIRED")


def of_graph(model: onnx.ModelProto) -> Bad:
    return unpacked(lambda folder: write_model(folder, V1, model))


def unpacked(spoil: Callable[[Path], object]) -> Bad:
    """A folder that no packing would have let pass."""

    def bad(device: Device) -> dict[str, Any]:
        folder = write_model(device.models / "loose", V1)
        spoil(folder)
        return device.loose(folder, "teller", "9")

    return bad


def half(folder: Path) -> None:
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


def empty(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"")


def beyond(folder: Path) -> None:
    (folder / "weights.bin").write_bytes(b"2b")
    write_model(folder, V1, ranged(outside("weights.bin"), "0", "4"))


def ranged(model: onnx.ModelProto, offset: str, length: str) -> onnx.ModelProto:
    model.graph.initializer[2].external_data.add(key="offset", value=offset)
    model.graph.initializer[2].external_data.add(key="length", value=length)
    return model


def index(device: Device) -> dict[str, Any]:
    """An image index in place of a manifest."""
    packed = device.pack(V1, version="9")
    kind = "application/vnd.oci.image.index.v1+json"
    data = json.dumps({"schemaVersion": 2, "mediaType": kind, "manifests": []}).encode()
    (device.models / "library" / blob_name(digest_of(data))).write_bytes(data)
    return {**packed, "ref": f"oci:library@{digest_of(data)}"}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (index, "UNSAFE_MODEL"),
        (of_graph(outside("../weights.bin")), "UNSAFE_MODEL"),
        (of_graph(outside("/etc/hostname")), "UNSAFE_MODEL"),
        (of_graph(outside("weights.bin")), "UNSAFE_MODEL"),
        (unpacked(beyond), "UNSAFE_MODEL"),
        (of_graph(foreign()), "UNSAFE_MODEL"),
        (of_graph(from_the_future()), "UNSAFE_MODEL"),
        (unpacked(half), "LOAD_FAILED"),
        (unpacked(empty), "LOAD_FAILED"),
        (of_graph(nan()), "LOAD_FAILED"),
        (of_graph(endless(1 << 50)), "LOAD_FAILED"),
        (of_graph(bomb(50)), "OUT_OF_MEMORY"),
        (of_graph(boasting()), "OUT_OF_MEMORY"),
        (of_graph(graph(input_name="renamed")), "CONTRACT_MISMATCH"),
    ],
)
async def test_a_package_that_is_no_good(device: Device, bad: Bad, code: str) -> None:
    await device.restart(partial(OnnxSession, run_seconds=0.2))
    await refused(device, bad, code)


def external(folder: Path) -> Path:
    """A package whose graph keeps a number in a file beside it."""
    write_model(folder, V1, ranged(outside("weights.bin"), "0", "4"))
    (folder / "weights.bin").write_bytes(b"\0\0\0?")
    return folder


def in_folder(device: Device) -> tuple[dict[str, Any], Path]:
    """What names an unpacked package, and where its weights lie."""
    folder = external(device.models / "loose")
    return device.loose(folder, "teller", "9"), folder / "weights.bin"


def in_layout(device: Device) -> tuple[dict[str, Any], Path]:
    files, layout = external(device.folder / "files" / "external"), device.models / "library"
    ref = pack(files, layout, "teller", "9")
    source = LayoutSource(layout, ref.partition("@")[2])
    blob = read_manifest(source.manifest()).files["weights.bin"]
    return {"schema": 1, "name": "teller", "version": "9", "ref": ref}, layout / blob_name(blob.digest)


def symlink(path: Path) -> None:
    path.rename(path.parents[2] / "aside")
    path.symlink_to(path.parents[2] / "aside")


def hard_link(path: Path) -> None:
    os.link(path, path.parents[2] / "aside")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def flip(path: Path) -> None:
    path.write_bytes(b"\0\0\0>")


def truncate(path: Path) -> None:
    os.truncate(path, 3)


def lengthen(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


@pytest.mark.parametrize("where", [in_folder, in_layout])
@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (symlink, "UNSAFE_MODEL"),
        (hard_link, "UNSAFE_MODEL"),
        (pipe, "UNSAFE_MODEL"),
        (flip, "DIGEST_MISMATCH"),
        (truncate, "DIGEST_MISMATCH"),
        (lengthen, "DIGEST_MISMATCH"),
    ],
)
async def test_weights_that_are_not_what_was_packed(
    device: Device,
    where: Callable[[Device], tuple[dict[str, Any], Path]],
    spoil: Callable[[Path], None],
    code: str,
) -> None:
    def bad(device: Device) -> dict[str, Any]:
        wanted, weights = where(device)
        spoil(weights)
        return wanted

    await refused(device, bad, code)


@pytest.mark.parametrize(
    "entry",
    [
        link("models/weights.bin", tarfile.SYMTYPE, "/etc/hostname"),
        link("models/weights.bin", tarfile.LNKTYPE, "models/model.onnx"),
        link("models/weights.bin", tarfile.FIFOTYPE),
        file("models/../escaped"),
        file("models//absolute"),
        file("models/a\0b", pax_headers={"path": "models/a\0b"}),
        file(f"models/{'n' * 300}"),
        file("models/MODEL.onnx"),
        file("models/model.onnx"),
    ],
    ids=lambda entry: f"{entry[0].name[:30]}-{entry[0].type!r}",
)
async def test_an_image_with_tricks(device: Device, entry: Entry) -> None:
    def bad(device: Device) -> dict[str, Any]:
        builder = Builder(device.models)
        digest = builder.image(builder.zipped(entry))
        return {"schema": 1, "name": "teller", "version": "9", "ref": f"oci:layout@{digest}"}

    await refused(device, bad, "UNSAFE_MODEL")


def named(name: str) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["layers"].append({**manifest["layers"][0], "annotations": {FILEPATH: name}})


def resized(by: int) -> Callable[[dict[str, Any]], None]:
    return lambda manifest: manifest["layers"][0].update(size=manifest["layers"][0]["size"] + by)


@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (named("../../escaped"), "UNSAFE_MODEL"),
        (named("/etc/escaped"), "UNSAFE_MODEL"),
        (named("a\0b"), "UNSAFE_MODEL"),
        (named("n" * 300), "UNSAFE_MODEL"),
        (named("model.onnx"), "UNSAFE_MODEL"),
        (named("MODEL.onnx"), "UNSAFE_MODEL"),
        (resized(1), "DIGEST_MISMATCH"),
        (resized(-1), "DIGEST_MISMATCH"),
        (resized(1 << 60), "NO_SPACE"),
    ],
)
async def test_a_manifest_that_lies(device: Device, forge: Callable[[dict[str, Any]], None], code: str) -> None:
    def bad(device: Device) -> dict[str, Any]:
        wanted, layout = device.pack(V1, version="9"), device.models / "library"
        manifest = json.loads(LayoutSource(layout, wanted["ref"].partition("@")[2]).manifest())
        forge(manifest)
        data = json.dumps(manifest).encode()
        (layout / blob_name(digest_of(data))).write_bytes(data)
        return {**wanted, "ref": f"oci:library@{digest_of(data)}"}

    await refused(device, bad, code)


@asynccontextmanager
async def remote(
    device: Device, folder: Path, server: RegistryServer, *faults: Fault
) -> AsyncIterator[tuple[Referring, dict[str, Any]]]:
    """The device may use a registry that does what the faults say; a package in it."""
    with published(folder / "remote", V1, server) as (registry, wanted):
        registry.halt.let.set()
        registry.faults.extend(faults)
        await device.stop()
        device.registries = (f"http://{wanted['ref'].partition('/')[0]}",)
        await device.start()
        yield registry, wanted
        await device.stop()


@pytest.mark.parametrize(
    ("faults", "code"),
    [
        ([changed(lambda body: b"x" + body[1:])], "DIGEST_MISMATCH"),
        ([changed(lambda body: body[:-1])], "DIGEST_MISMATCH"),
        ([changed(lambda body: body + b"more")], "DIGEST_MISMATCH"),
        ([status(403)], "AUTH"),
        ([status(404)], "NOT_FOUND"),
        ([broken_after(SIZE // 2), status(401)], "AUTH"),
        ([redirect("")] * 10, "NOT_FOUND"),
    ],
)
async def test_a_registry_that_does_not_give_what_was_pinned(
    device: Device, tmp_path: Path, registry_server: RegistryServer, faults: list[Fault], code: str
) -> None:
    async with remote(device, tmp_path, registry_server, *faults) as (registry, wanted):
        await refused(device, lambda _: wanted, code)
        assert not registry.faults or code == "NOT_FOUND"


async def serves_to_the_end(device: Device, wanted: dict[str, Any]) -> None:
    await device.swap_to(device.pack(V1, version="1"))
    await device.swap_to(wanted)
    await device.hub.until_reported("model.state", "Active")
    assert device.hub.reported["model"]["last"]["result"] == "succeeded"
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "2"


@pytest.mark.parametrize(
    ("faults", "ranges"),
    [
        ([broken_after(100_000)], [None, "bytes=100000-"]),
        ([broken_after(100_000), status(416)], [None, "bytes=100000-", None]),
    ],
)
async def test_a_registry_that_breaks_off_is_gone_on_with(
    device: Device, tmp_path: Path, registry_server: RegistryServer, faults: list[Fault], ranges: list[str | None]
) -> None:
    async with remote(device, tmp_path, registry_server, *faults) as (registry, wanted):
        await serves_to_the_end(device, wanted)
        assert [headers.get("Range") for headers in registry.seen] == ranges


async def test_a_blob_that_is_on_another_host(device: Device, tmp_path: Path, registry_server: RegistryServer) -> None:
    async with remote(device, tmp_path, registry_server) as (registry, wanted):
        storage = FaultyRegistry(registry_server.base, registry.spoilt)
        with storage.running("127.0.0.2") as elsewhere:
            registry.faults.append(redirect(elsewhere))
            await serves_to_the_end(device, wanted)
        assert len(storage.seen) == 1


async def test_a_tag_that_moved_after_it_was_pinned(
    device: Device, tmp_path: Path, registry_server: RegistryServer
) -> None:
    async with remote(device, tmp_path, registry_server) as (_, wanted):
        other = device.pack(V1, version="other")["ref"].partition("@")[2]
        with repository(registry_server.base) as teller:
            push(LayoutSource(device.models / "library", other), teller, "2", Patience(5), lambda _seconds: None)
        await serves_to_the_end(device, wanted)
        assert device.hub.reported["model"]["active"]["digest"] == wanted["ref"].partition("@")[2]
