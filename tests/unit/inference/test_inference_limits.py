"""Graphs that would take all the time or all the memory there is, or that this runtime does not know."""

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edge_common.messages import ModelIdentity
from edge_inference.errors import LoadFailedError, OutOfMemoryError, RunFailedError
from edge_inference.memory import check_memory, free_memory
from edge_inference.model import load_model, verify
from edge_inference.onnx_session import OnnxSession
from support.models import contract, graph, write_model
from support.sessions import PLAN

V1 = contract("v1")


def endless(iterations: int) -> onnx.ModelProto:
    """Counts up, for hours if need be, and then gives its input's mean."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["goes"]), helper.make_node("Add", ["sum", "sum"], ["sums"])],
        "body",
        [
            helper.make_tensor_value_info("number", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, ["batch", 2]),
        ],
        [
            helper.make_tensor_value_info("goes", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sums", TensorProto.FLOAT, ["batch", 2]),
        ],
    )
    model = graph()
    model.graph.node[-1].output[0] = "start"
    model.graph.node.append(helper.make_node("Loop", ["count", "true", "start"], ["output"], body=body))
    model.graph.initializer.append(helper.make_tensor("count", TensorProto.INT64, [], [iterations]))
    model.graph.initializer.append(helper.make_tensor("true", TensorProto.BOOL, [], [True]))
    return model


def bomb(exponent: int) -> onnx.ModelProto:
    """Fills so many numbers, only to add the first of them, which is zero."""
    model = graph()
    model.graph.node[-1].output[0] = "start"
    model.graph.node.extend(
        [
            helper.make_node("Shape", ["input"], ["shape"]),
            helper.make_node("Gather", ["shape", "second"], ["ones"], axis=0),
            helper.make_node("Mul", ["ones", "many"], ["size"]),
            helper.make_node("ConstantOfShape", ["size"], ["filled"]),
            helper.make_node("Gather", ["filled", "none"], ["zero0"], axis=0),
            helper.make_node("Add", ["start", "zero0"], ["output"]),
        ]
    )
    for name, dims, value in (("second", [1], 1), ("many", [1], 1 << exponent), ("none", [], 0)):
        model.graph.initializer.append(helper.make_tensor(name, TensorProto.INT64, dims, [value]))
    return model


def warm_up(folder: Path, model: onnx.ModelProto) -> None:
    write_model(folder, V1, model)
    identity = ModelIdentity(name="teller", version="1", digest="sha256:" + "0" * 64)

    load_model(folder, identity, verify(folder), partial(OnnxSession, run_seconds=0.2), PLAN).warm_up()


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    with pytest.raises(LoadFailedError, match="ended after"):
        warm_up(tmp_path / "endless", endless(1 << 50))
    warm_up(tmp_path / "short", endless(3))


def test_a_session_runs_on_after_a_run_that_was_ended(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "endless", V1, endless(1 << 50))
    session = OnnxSession(folder / "model.onnx", PLAN.providers, run_seconds=0.1)
    for _ in range(2):
        with pytest.raises(RunFailedError, match="ended after"):
            session.run({"input": np.zeros((1, *V1.input.sample_shape), np.float32)}, "output")


def test_more_memory_than_there_is_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError):
        warm_up(tmp_path / "bomb", bomb(50))
    warm_up(tmp_path / "small", bomb(4))


def test_graphs_from_the_future_and_foreign_operators_are_not_loaded(tmp_path: Path) -> None:
    future, foreign, opset = graph(), graph(domain="my.company"), graph()
    future.ir_version = 1000
    opset.opset_import[0].version = 1000
    foreign.opset_import.append(helper.make_opsetid("my.company", 1))
    for name, model in {"future": future, "foreign": foreign, "opset": opset}.items():
        with pytest.raises(LoadFailedError):
            warm_up(tmp_path / name, model)


def test_nan_for_zeros_is_no_answer(tmp_path: Path) -> None:
    model = graph()
    model.graph.initializer[2].float_data[0] = -1.0
    with pytest.raises(LoadFailedError, match="NaN"):
        warm_up(tmp_path / "nan", model)


def machine(folder: Path, limit: str | None) -> Path:
    """One of 1000 KiB, of which this process has 100."""
    (folder / "proc" / "self").mkdir(parents=True)
    (folder / "proc" / "meminfo").write_text("MemTotal:  1000 kB\nMemFree: 1 kB\n")
    (folder / "proc" / "self" / "status").write_text("Name:\tpython\nVmRSS:\t  100 kB\n")
    if limit is not None:
        (folder / "sys" / "fs" / "cgroup").mkdir(parents=True)
        (folder / "sys" / "fs" / "cgroup" / "memory.max").write_text(f"{limit}\n")
    return folder


@pytest.mark.parametrize(("limit", "kib"), [(None, 900), ("max", 900), (str(300 << 10), 200), ("5", 0)])
def test_the_memory_that_is_left_is_the_limits_less_what_is_taken(tmp_path: Path, limit: str | None, kib: int) -> None:
    assert free_memory(machine(tmp_path, limit)) == kib << 10


def test_a_package_larger_than_the_memory_is_not_loaded(tmp_path: Path) -> None:
    folder = write_model(tmp_path, V1)
    size = sum(path.stat().st_size for path in folder.iterdir())
    check_memory(folder, size)
    with pytest.raises(OutOfMemoryError):
        check_memory(folder, size - 1)
