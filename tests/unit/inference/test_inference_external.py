import contextlib
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edge_inference.errors import LoadFailedError, UnsafeModelError
from edge_inference.external import check_external
from edge_inference.operators import check_operators
from edge_inference.sizes import declared_bytes
from support.models import graph


def outside(name: str, location: str) -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), name)
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("offset", "0"), ("location", location), ("length", "16")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    tensor.ClearField("raw_data")
    return tensor


def hidden(location: str, where: str) -> onnx.ModelProto:
    """A model with external data in some corner of it."""
    model, tensor = graph(), outside("weights", location)
    constant = helper.make_node("Constant", [], ["weights"])
    constant.attribute.append(helper.make_attribute("value", tensor))
    branch = helper.make_graph([constant], "branch", [], [])
    if where == "initializer":
        model.graph.initializer.append(tensor)
    elif where == "attribute":
        model.graph.node.append(constant)
    elif where == "subgraph":
        model.graph.node.append(helper.make_node("If", ["flat"], [], then_branch=branch, else_branch=branch))
    elif where == "function":
        model.functions.append(helper.make_function("local", "f", [], [], [constant], [helper.make_opsetid("", 18)]))
    elif where == "sparse":
        model.graph.sparse_initializer.append(onnx.SparseTensorProto(values=tensor, indices=outside("i", location)))
    return model


def write(folder: Path, model: onnx.ModelProto) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("where", ["initializer", "attribute", "subgraph", "function", "sparse"])
def test_external_weights_are_found_wherever_they_hide(tmp_path: Path, where: str) -> None:
    with pytest.raises(UnsafeModelError, match=r"'weights\.bin'"):
        check_external(write(tmp_path, hidden("weights.bin", where)), frozenset({"model.onnx"}))


def test_a_graph_with_its_weights_inside_needs_no_other_file(tmp_path: Path) -> None:
    check_external(write(tmp_path, graph()), frozenset())


def test_weights_in_the_package_are_fine(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"w" * 16)
    check_external(write(tmp_path, hidden("./weights.bin", "initializer")), frozenset({"weights.bin"}))


@pytest.mark.parametrize("location", ["../weights.bin", "/etc/passwd", "a/../../b", "elsewhere.bin", ""])
def test_weights_outside_the_package_are_refused(tmp_path: Path, location: str) -> None:
    with pytest.raises(UnsafeModelError):
        check_external(write(tmp_path, hidden(location, "subgraph")), frozenset({"weights.bin"}))


@pytest.mark.parametrize(
    ("offset", "length"),
    [("0", "17"), ("1", "16"), ("17", "0"), ("-1", "16"), ("0", "-16"), ("", "16"), ("0", "9" * 5000), ("\u0661", "1")],
)
def test_weights_beyond_their_file_are_refused(tmp_path: Path, offset: str, length: str) -> None:
    (tmp_path / "weights.bin").write_bytes(b"w" * 16)
    model = hidden("weights.bin", "initializer")
    entries = {entry.key: entry for entry in model.graph.initializer[-1].external_data}
    entries["offset"].value, entries["length"].value = offset, length
    with pytest.raises(UnsafeModelError):
        check_external(write(tmp_path, model), frozenset({"weights.bin"}))


@pytest.mark.parametrize("data", [b"", b"\x3a\x7f", b"\x3a", b"\xff" * 20, b"\x3b\x01", b"\x09\x00"])
def test_what_is_no_protocol_buffer_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(data)
    with pytest.raises(LoadFailedError):
        check_external(tmp_path / "model.onnx", frozenset())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1), st.integers(0, 200))
def test_no_bytes_break_the_walk(tmp_path: Path, noise: bytes, at: int) -> None:
    whole = hidden("weights.bin", "function").SerializeToString()
    (tmp_path / "model.onnx").write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    for look in (partial(check_external, inside=frozenset()), check_operators, declared_bytes):
        with contextlib.suppress(LoadFailedError, UnsafeModelError):
            look(tmp_path / "model.onnx")
