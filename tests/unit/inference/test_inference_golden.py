import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from edge_common.contract import Contract
from edge_common.messages import ModelIdentity
from edge_inference.errors import GoldenFailedError, UnsafeModelError
from edge_inference.golden import run_golden
from edge_inference.layout import pack
from edge_inference.model import LoadedModel, load_model, verify
from edge_inference.onnx_session import OnnxSession
from support.models import contract, graph, of_pixels, write_golden, write_model
from support.sessions import PLAN

V1 = contract("v1")


def load(folder: Path) -> LoadedModel:
    identity = ModelIdentity(name="teller", version="1", digest="sha256:" + "0" * 64)
    return load_model(folder, identity, verify(folder), OnnxSession, PLAN)


def test_a_model_gives_its_examples(package: Path) -> None:
    write_golden(package, V1, *range(20))
    run_golden(load(package), package, 1.0)


def test_examples_are_of_what_the_contract_feeds(tmp_path: Path) -> None:
    pixels = of_pixels(V1)
    package = write_model(tmp_path, pixels, graph(dtype=TensorProto.UINT8))
    write_golden(package, pixels, 3, 40, dtype=np.uint8)
    run_golden(load(package), package, 1.0)
    write_golden(package, pixels, 3, 40)
    with pytest.raises(GoldenFailedError, match="is float32"):
        run_golden(load(package), package, 1.0)


def test_a_package_without_examples_has_nothing_to_fail(package: Path) -> None:
    run_golden(load(package), package, 1.0)


def test_what_is_off_by_more_than_the_tolerance_does_not_come_out(package: Path) -> None:
    write_golden(package, V1, 1, 2, 3, off=0.1)
    with pytest.raises(GoldenFailedError, match="0 of the package's 3"):
        run_golden(load(package), package, 1.0)
    run_golden(load(package), package, 0.0)


def test_nan_never_comes_out(package: Path) -> None:
    write_golden(package, V1, 1, -99)
    expected = np.load(package / "golden-out.npy")
    expected[1] = np.nan
    np.save(package / "golden-out.npy", expected)
    with pytest.raises(GoldenFailedError, match="1 of the package's 2"):
        run_golden(load(package), package, 1.0)


def test_an_example_that_the_graph_cannot_run_is_a_failure(package: Path) -> None:
    write_golden(package, V1, 99)
    with pytest.raises(GoldenFailedError, match="does not run"):
        run_golden(load(package), package, 0.0)


def test_examples_of_another_shape_are_none_of_this_model(package: Path) -> None:
    write_golden(package, contract("v1", side=5), 1)
    with pytest.raises(GoldenFailedError, match="no input of the model"):
        run_golden(load(package), package, 0.0)


def test_examples_and_their_answers_must_pair(package: Path) -> None:
    write_golden(package, V1, 1, 2)
    np.save(package / "golden-out.npy", np.zeros((1, 2), np.float32))
    with pytest.raises(GoldenFailedError, match="1 rows for 2 samples"):
        run_golden(load(package), package, 0.0)
    np.save(package / "golden-out.npy", np.zeros((2, 3), np.float32))
    with pytest.raises(GoldenFailedError, match="of shape"):
        run_golden(load(package), package, 0.0)


@pytest.mark.parametrize(
    "document",
    [
        "[]",
        '{"schema": 2, "examples": []}',
        '{"schema": 1, "examples": [{"input": "../../etc/passwd", "output": "golden-out.npy"}]}',
        '{"schema": 1, "examples": [{"input": "golden-in.npy", "output": "none.npy"}]}',
        '{"schema": 1, "examples": [{"input": "model.onnx", "output": "golden-out.npy"}]}',
        '{"schema": 1, "examples": [{"input": "golden-in.npy", "output": "golden-out.npy", "absolute": -1}]}',
    ],
)
def test_examples_that_are_none_are_unsafe(package: Path, document: str) -> None:
    write_golden(package, V1, 1)
    model = load(package)
    (package / "golden.json").write_text(document)
    with pytest.raises(UnsafeModelError):
        run_golden(model, package, 1.0)


def test_pickled_and_zipped_arrays_are_not_read(package: Path) -> None:
    write_golden(package, V1, 1)
    model = load(package)
    np.save(package / "golden-out.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(UnsafeModelError):
        run_golden(model, package, 1.0)
    with (package / "golden-out.npy").open("wb") as file:
        np.savez(file, np.zeros((1, 2), np.float32))
    with pytest.raises(UnsafeModelError):
        run_golden(model, package, 1.0)


def test_packing_runs_the_examples(package: Path, tmp_path: Path) -> None:
    write_golden(package, V1, 1, off=1)
    with pytest.raises(GoldenFailedError):
        pack(package, tmp_path / "layout", "teller", "1")
    write_golden(package, V1, 1)
    assert pack(package, tmp_path / "layout", "teller", "1")
    assert json.loads((package / "golden.json").read_text())["schema"] == 1


def two_outputs(folder: Path) -> None:
    """A model of which both the scores and their means are read."""
    made_by = Contract.model_validate(
        {"schema": 1, "input": V1.input, "output": {"kind": "raw", "names": ["output", "mean"]}}
    )
    model = graph()
    model.graph.output.append(helper.make_tensor_value_info("mean", TensorProto.FLOAT, ["batch", 1]))
    write_model(folder, made_by, model)
    write_golden(folder, V1, 1, 2)
    np.save(folder / "golden-mean.npy", np.array([[1], [2.5]], np.float32))


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"output": "golden-out.npy", "mean": "golden-mean.npy"}, "1 of the package's 2"),
        ({"output": "golden-out.npy", "mean": "golden-out.npy"}, "of shape"),
        ({"output": "golden-out.npy"}, "examples of"),
        ("golden-out.npy", "examples of"),
    ],
)
def test_of_several_outputs_all_must_come_out(tmp_path: Path, outputs: object, said: str) -> None:
    two_outputs(tmp_path)
    example = {"input": "golden-in.npy", "output": outputs}
    (tmp_path / "golden.json").write_text(json.dumps({"schema": 1, "examples": [example]}))
    with pytest.raises(GoldenFailedError, match=said):
        run_golden(load(tmp_path), tmp_path, 1.0)
