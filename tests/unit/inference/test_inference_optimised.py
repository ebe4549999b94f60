"""Graphs as onnxruntime has optimised them: made apart, used again, checked, and never a reason to refuse a model."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from edge_common.messages import ModelIdentity
from edge_inference.errors import LoadFailedError, ModelError, OutOfMemoryError
from edge_inference.layout import pack
from edge_inference.onnx_session import OnnxSession
from edge_inference.optimised import COMMAND, WORTH_BYTES, Optimised
from edge_inference.optimiser import optimise
from edge_inference.runtime import fingerprint, load_runtime
from edge_inference.seal import SEAL, WEIGHTS, Seal, is_sound
from edge_inference.session import Session
from edge_inference.sources import LayoutSource
from edge_inference.store import Allowance, ModelStore
from support.inference import Device
from support.models import SIDE, contract, graph, write_model

V1, V2 = contract("v1"), contract("v2", side=6)
CPU = ("CPUExecutionProvider",)
PLENTY = Allowance(1 << 30, 1 << 30)


def heavy(side: int = SIDE) -> onnx.ModelProto:
    """The usual model, with a large table of zeros of which each answer takes in a row."""
    model = graph(side)
    model.graph.node[-1].output[0] = "light"
    model.graph.node.extend(
        [
            helper.make_node("Gather", ["table", "index"], ["row"], axis=0),
            helper.make_node("Add", ["light", "row"], ["output"]),
        ]
    )
    table = np.zeros((WORTH_BYTES // 8 + 1, 2), np.float32)
    model.graph.initializer.append(numpy_helper.from_array(table, "table"))
    return model


class Shop:
    """A store that has a large package, and what optimises it."""

    def __init__(self, folder: Path, command: Sequence[str] = COMMAND) -> None:
        files = write_model(folder / "files", V1, heavy())
        self.digest = pack(files, folder / "layout", "teller", "1").partition("@")[2]
        self.root, self.thread = folder / "store", ThreadPoolExecutor(1)
        self.store = ModelStore(self.root)
        self.admit()
        self.command = command
        self.folder = self.store.optimised(self.digest)

    def admit(self, allowance: Allowance = PLENTY) -> None:
        wanted = ModelIdentity(name="teller", version="1", digest=self.digest)
        self.store.admit(wanted, LayoutSource(self.root.parent / "layout", self.digest), allowance, lambda _: None)

    async def graph(self, providers: Sequence[str] = CPU, allowance: Allowance = PLENTY) -> Path | None:
        return await Optimised(self.store, self.thread, self.command).graph(self.digest, providers, allowance)

    @property
    def left(self) -> list[str]:
        """What lies in the store beside the package."""
        known = {"blobs", self.digest.removeprefix("sha256:")}
        return sorted(path.name for path in self.root.iterdir() if path.name not in known)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    shop = Shop(tmp_path)
    yield shop
    shop.thread.shutdown()


def outputs(graph: Path) -> Sequence[np.ndarray]:
    session = OnnxSession(graph, CPU)
    samples = np.linspace(0, 9, 3 * SIDE * SIDE, dtype=np.float32).reshape(3, 1, SIDE, SIDE)
    return session.run({"input": samples}, ["output"])


async def test_a_large_model_is_loaded_from_its_optimised_graph_after_a_restart_too(device: Device) -> None:
    opened: list[Path] = []

    def open_session(path: Path, providers: Sequence[str]) -> Session:
        opened.append(path)
        return OnnxSession(path, providers)

    await device.restart(open_session)
    await device.swap_to(device.pack(V1, model=heavy()))
    device.send(V1, 1)
    assert (await device.predictions())[0].parts[0].predictions[0]["label"] == "v1-bright"
    made = (opened[0].parent / SEAL).stat().st_ino
    await device.restart(open_session)
    await device.hub.until_reported("model.state", "Active")
    assert opened == [opened[0]] * 2
    assert opened[0].parent.name.endswith(".optimised")
    assert (opened[0].parent / SEAL).stat().st_ino == made


async def test_a_model_is_loaded_as_it_is_where_its_optimised_graph_cannot_be(device: Device) -> None:
    opened: list[Path] = []

    def open_session(path: Path, providers: Sequence[str]) -> Session:
        opened.append(path)
        if ".optimised" in path.parent.name:
            raise LoadFailedError("no")
        return OnnxSession(path, providers)

    await device.restart(open_session)
    await device.swap_to(device.pack(V1, model=heavy()))
    device.send(V1, 1)
    assert (await device.predictions())[0].model.version == "1"
    assert len(opened) == 2
    assert not opened[0].parent.exists()


async def test_it_gives_the_same_and_keeps_its_weights_apart(shop: Shop) -> None:
    made = await shop.graph()
    assert made == shop.folder / "model.onnx"
    assert made.stat().st_size < 10_000 < WORTH_BYTES <= (shop.folder / WEIGHTS).stat().st_size
    np.testing.assert_array_equal(outputs(made), outputs(shop.store.files(shop.digest) / "model.onnx"))
    assert shop.store.holds(shop.digest)
    assert shop.left == [shop.folder.name]


async def test_a_graph_is_not_optimised_for_a_provider_that_is_not_the_cpu(shop: Shop) -> None:
    assert await shop.graph(("AzureExecutionProvider", *CPU)) is None


def flip(folder: Path) -> None:
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)


def cut(folder: Path) -> None:
    os.truncate(folder / WEIGHTS, 1000)


def lose(folder: Path) -> None:
    (folder / SEAL).unlink()


def empty(folder: Path) -> None:
    (folder / SEAL).write_bytes(b"")


def add(folder: Path) -> None:
    (folder / "more").write_bytes(b"more")


def link(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / ".elsewhere")
    (folder / WEIGHTS).symlink_to(folder.parent / ".elsewhere")


def age(folder: Path) -> None:
    (folder / SEAL).write_text(Seal.of(folder, "another onnxruntime").model_dump_json())


def reach_out(folder: Path) -> None:
    """A seal vouches for bytes; what they say is looked at nevertheless."""
    model = onnx.load(folder / "model.onnx", load_external_data=False)
    [location] = [e for t in model.graph.initializer for e in t.external_data if e.key == "location"]
    location.value = "../weights"
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / SEAL).unlink()
    (folder / SEAL).write_text(Seal.of(folder, fingerprint(load_runtime())).model_dump_json())


@pytest.mark.parametrize("damage", [flip, cut, lose, empty, add, link, age, reach_out])
async def test_what_is_damaged_or_from_elsewhere_is_made_anew(shop: Shop, damage: Callable[[Path], None]) -> None:
    made_by = fingerprint(load_runtime())
    await shop.graph()
    assert is_sound(shop.folder, made_by)
    damage(shop.folder)
    assert not is_sound(shop.folder, made_by)
    assert await shop.graph() == shop.folder / "model.onnx"
    assert is_sound(shop.folder, made_by)


def test_what_another_machine_made_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("processor: 0\nflags\t: sse avx512_bf16\n")
    assert fingerprint(load_runtime(), tmp_path / "cpuinfo") != fingerprint(load_runtime())


async def test_where_there_is_no_room_nothing_is_kept(shop: Shop) -> None:
    taken = sum(path.stat().st_size for path in (shop.root / "blobs").rglob("*") if path.is_file())
    assert await shop.graph(allowance=Allowance(taken, 2 * taken)) is None
    assert not shop.left


async def test_it_counts_as_what_the_store_takes_and_makes_room_for_packages(shop: Shop, tmp_path: Path) -> None:
    before = shop.store.room(PLENTY)
    await shop.graph()
    assert shop.store.room(PLENTY) <= before - WORTH_BYTES
    files = write_model(tmp_path / "next", V2, heavy(6))
    digest = pack(files, tmp_path / "layout", "teller", "2").partition("@")[2]
    allowance = Allowance(1 << 30, 5 * WORTH_BYTES // 2, frozenset({shop.digest}))
    wanted = ModelIdentity(name="teller", version="2", digest=digest)
    shop.store.admit(wanted, LayoutSource(tmp_path / "layout", digest), allowance, lambda _: None)
    assert not shop.folder.exists()
    assert shop.store.holds(shop.digest)


async def test_it_goes_with_its_package(shop: Shop) -> None:
    await shop.graph()
    shop.store.collect(frozenset({shop.digest}))
    assert shop.left == [shop.folder.name]
    shop.store.collect(frozenset())
    assert not shop.left


def ends(how: str) -> tuple[str, ...]:
    """A process in the optimiser's place."""
    return (sys.executable, "-c", f"import os, sys, signal\n{how}")


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", LoadFailedError),
        ("os.kill(os.getpid(), signal.SIGXCPU)", LoadFailedError),
        ("os.kill(os.getpid(), signal.SIGKILL)", OutOfMemoryError),
    ],
)
async def test_a_graph_that_brings_its_process_down_is_refused(shop: Shop, how: str, error: type[ModelError]) -> None:
    shop.command = ends(how)
    with pytest.raises(error):
        await shop.graph()
    assert not shop.left


@pytest.mark.parametrize("how", ["sys.exit('the disk is full')", "len(sys.argv) > 2 and os.kill(os.getpid(), 11)"])
async def test_what_fails_on_keeping_a_graph_is_not_held_against_it(shop: Shop, how: str) -> None:
    shop.command = ends(how)
    assert await shop.graph() is None
    assert not shop.left


async def test_a_file_over_what_is_left_is_not_written(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.command = (*ends("os.execv(sys.executable, [sys.executable, *sys.argv[1:-1], '4096'])"), *COMMAND[1:])
    assert await shop.graph() is None
    assert "not optimised" in caplog.text
    assert not shop.left


async def test_calling_it_off_ends_the_process(shop: Shop, tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    shop.command = ends(f"os.mkdir(sys.argv[2]); open({str(pid)!r}, 'w').write(f'{{os.getpid()}}.'); signal.pause()")
    making = asyncio.create_task(shop.graph())
    while not pid.exists() or not pid.read_text().endswith("."):
        await asyncio.sleep(0.01)
    making.cancel()
    await asyncio.gather(making, return_exceptions=True)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()[:-1]), 0)
    assert not shop.left


STARTS = "import subprocess, sys; subprocess.Popen([sys.executable, '-m', *sys.argv[1:]]); sys.stdin.read()"


def test_the_process_ends_with_the_module(tmp_path: Path) -> None:
    graph = tmp_path / "model.onnx"
    os.mkfifo(graph)
    command = (sys.executable, "-c", STARTS, "edge_inference.optimiser", str(graph))
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with started as module, graph.open("wb"):  # which waits until it is read
        module.kill()
        module.communicate(timeout=60)  # the output ends when nobody has it any more


def test_weights_outside_and_in_branches_are_kept(tmp_path: Path) -> None:
    model = branching()
    onnx.save_model(model, tmp_path / "model.onnx", save_as_external_data=True, location="big", size_threshold=100)
    optimise(load_runtime(), str(tmp_path / "model.onnx"), tmp_path / "made")
    assert is_sound(tmp_path / "made", fingerprint(load_runtime()))
    (tmp_path / "big").unlink()
    [given] = OnnxSession(tmp_path / "made" / "model.onnx", CPU).run(
        {"input": np.ones((1, 64), np.float32)}, ["output"]
    )
    np.testing.assert_allclose(given, np.full((1, 64), 64 * 3))


def branching() -> onnx.ModelProto:
    """What is taken, times a matrix of ones, times one of two matrices of threes along the diagonal."""

    def branch(name: str) -> onnx.GraphProto:
        weights = numpy_helper.from_array(np.eye(64, dtype=np.float32) * 3, f"{name}_weights")
        node = helper.make_node("MatMul", ["one", f"{name}_weights"], [name])
        given = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 64])
        return helper.make_graph([node], name, [], [given], [weights])

    nodes = [
        helper.make_node("MatMul", ["input", "ones"], ["one"]),
        helper.make_node("ReduceMax", ["input"], ["most"], keepdims=0),
        helper.make_node("Cast", ["most"], ["positive"], to=TensorProto.BOOL),
        helper.make_node("If", ["positive"], ["output"], then_branch=branch("yes"), else_branch=branch("no")),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 64]) for name in ("input", "output")]
    ones = numpy_helper.from_array(np.ones((64, 64), np.float32), "ones")
    body = helper.make_graph(nodes, "branching", ports[:1], ports[1:], [ones])
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
