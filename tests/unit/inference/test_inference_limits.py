"""Graphs that would take all the time or all the memory there is, or that this runtime does not know."""

from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from edge_common.messages import ModelIdentity
from edge_inference.errors import LoadFailedError, OutOfMemoryError, RunFailedError, UnsafeModelError
from edge_inference.memory import check_memory, free_memory
from edge_inference.model import load_model, verify
from edge_inference.onnx_session import OnnxSession
from edge_inference.operators import NEWEST, NEWEST_IR, check_operators
from edge_inference.sizes import declared_bytes
from support.graphs import bomb, endless
from support.models import contract, graph, write_model
from support.sessions import PLAN

V1 = contract("v1")


def warm_up(folder: Path, model: onnx.ModelProto, run_seconds: float = 60) -> None:
    write_model(folder, V1, model)
    identity = ModelIdentity(name="teller", version="1", digest="sha256:" + "0" * 64)

    load_model(folder, identity, verify(folder), partial(OnnxSession, run_seconds=run_seconds), PLAN).warm_up()


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    with pytest.raises(LoadFailedError, match="ended after"):
        warm_up(tmp_path / "endless", endless(1 << 50), run_seconds=0.2)
    warm_up(tmp_path / "short", endless(3))


def test_a_session_runs_on_after_a_run_that_was_ended(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "endless", V1, endless(1 << 50))
    session = OnnxSession(folder / "model.onnx", PLAN.providers, run_seconds=0.1)
    for _ in range(2):
        with pytest.raises(RunFailedError, match="ended after"):
            session.run({"input": np.zeros((1, *V1.input.sample_shape), np.float32)}, ["output"])


def test_more_memory_than_there_is_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError):
        warm_up(tmp_path / "bomb", bomb(50))
    warm_up(tmp_path / "small", bomb(4))


def test_graphs_from_the_future_and_foreign_operators_are_not_loaded(tmp_path: Path) -> None:
    future, foreign, opset = graph(), graph(domain="my.company"), graph()
    future.ir_version = 1000
    opset.opset_import[0].version = 1000
    foreign.opset_import.append(helper.make_opsetid("my.company", 1))
    refused = {r"IR version 1000": future, r"my\.company\.Flatten": foreign, r"version 1000 of ai\.onnx": opset}
    for number, (said, model) in enumerate(refused.items()):
        with pytest.raises(UnsafeModelError, match=said):
            warm_up(tmp_path / str(number), model)


def test_foreign_operators_are_found_in_subgraphs_and_functions(tmp_path: Path) -> None:
    odd = helper.make_node("Odd", [], ["odd"], domain="my.company")
    branch = helper.make_graph([odd], "branch", [], [])
    nested, function = graph(), graph()
    nested.graph.node.append(helper.make_node("If", ["flat"], [], then_branch=branch, else_branch=branch))
    function.functions.append(helper.make_function("local", "f", [], [], [odd], [helper.make_opsetid("", 18)]))
    for name, model in {"nested": nested, "function": function}.items():
        folder = write_model(tmp_path / name, V1, model)
        with pytest.raises(UnsafeModelError, match=r"my\.company\.Odd"):
            check_operators(folder / "model.onnx")


def test_the_models_own_functions_are_no_foreign_operators(tmp_path: Path) -> None:
    model = graph(domain="my.company")
    flatten = helper.make_node("Flatten", ["a"], ["b"])
    own = helper.make_function("my.company", "Flatten", ["a"], ["b"], [flatten], [helper.make_opsetid("", 18)])
    model.functions.append(own)
    model.opset_import.append(helper.make_opsetid("my.company", 1))
    warm_up(tmp_path / "own", model)


def test_the_newest_versions_are_those_that_the_runtime_takes(tmp_path: Path) -> None:
    newest = graph()
    newest.ir_version = NEWEST_IR
    newest.opset_import[0].version = NEWEST[""]
    newest.opset_import.append(helper.make_opsetid("ai.onnx.ml", NEWEST["ai.onnx.ml"]))
    warm_up(tmp_path / "newest", newest)


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


def test_what_a_graph_declares_must_fit_the_memory(tmp_path: Path) -> None:
    large, wide, outside = graph(), graph(side=1 << 15), graph()
    large.graph.initializer.append(TensorProto(name="large", data_type=TensorProto.FLOAT16, dims=[1 << 30, 4]))
    tensor = TensorProto(name="outside", data_type=TensorProto.DOUBLE, dims=[1 << 30, 1 << 40, 1 << 40])
    tensor.external_data.add(key="location", value="weights.bin")
    outside.graph.initializer.append(tensor)
    for name, model, size in (("large", large, 8 << 30), ("wide", wide, 4 << 30), ("outside", outside, 1 << 60)):
        folder = write_model(tmp_path / name, V1, model)
        check_memory(folder, 1 << 70)
        with pytest.raises(OutOfMemoryError):
            check_memory(folder, size)


def test_what_is_not_fixed_counts_as_one(tmp_path: Path) -> None:
    model = graph()
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    folder = write_model(tmp_path, V1, model)
    constants = 8 + 3 * 4 + 2 * 4
    assert declared_bytes(folder / "model.onnx") == constants + 16 * 4 + 2 * 4
