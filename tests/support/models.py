"""Small ONNX models whose answers tell who gave them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from edge_common.contract import ClassificationOutput, Contract, ImageInput

SIDE = 4
"""Width and height that the models take, unless told otherwise."""


def contract(maker: str = "v1", side: int = SIDE, **output: Any) -> Contract:
    """A contract with two classes that bear the maker's name: dark and bright."""
    return Contract(
        input=ImageInput(width=side, height=side, channels="L", mean=(0.0,), scale=(1.0,), batch=8),
        output=ClassificationOutput(labels=(f"{maker}-dark", f"{maker}-bright"), **output),
    )


def of_pixels(made: Contract) -> Contract:
    """The same for a graph that takes pixels as they are."""
    return Contract.model_validate({**made.model_dump(), "input": {**made.input.model_dump(), "dtype": "uint8"}})


def graph(
    side: int = SIDE,
    rows: int | str = "batch",
    input_name: str = "input",
    classes: int = 2,
    domain: str = "",
    dtype: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """Scores ``-mean`` (dark) and ``+mean`` (bright), mean being a sample's.

    A sample of 99 makes the run fail; one of -99 gives NaN.
    """
    nodes = [
        helper.make_node("Cast", [input_name], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["numbers"], ["flat"], domain=domain),
        helper.make_node("ReduceMean", ["flat", "one"], ["mean"], keepdims=1),
        helper.make_node("ReduceMax", ["flat", "one"], ["max"], keepdims=0),
        helper.make_node("Div", ["max", "limit"], ["over"]),
        helper.make_node("Cast", ["over"], ["index"], to=TensorProto.INT64),
        helper.make_node("Gather", ["signs", "index"], ["sign"], axis=0),
        helper.make_node("Div", ["mean", "limit"], ["ratio"]),
        helper.make_node("Add", ["ratio", "half"], ["shifted"]),
        helper.make_node("Log", ["shifted"], ["log"]),
        helper.make_node("Mul", ["log", "zero"], ["nothing"]),
        helper.make_node("Add", ["mean", "nothing"], ["score"]),
        helper.make_node("Mul", ["score", "sign"], ["output"]),
    ]
    constants = [
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("limit", TensorProto.FLOAT, [], [99.0]),
        helper.make_tensor("half", TensorProto.FLOAT, [], [0.5]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("signs", TensorProto.FLOAT, [1, classes], [-1.0] + [1.0] * (classes - 1)),
    ]
    taken = helper.make_tensor_value_info(input_name, dtype, [rows, 1, side, side])
    given = helper.make_tensor_value_info("output", TensorProto.FLOAT, [rows, classes])
    body = helper.make_graph(nodes, "teller", [taken], [given], constants)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def write_model(folder: Path, made_by: Contract, model: onnx.ModelProto | None = None) -> Path:
    """Write a package's files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes((model or graph(made_by.input.sample_shape[-1])).SerializeToString())
    (folder / "contract.json").write_text(json.dumps(made_by.model_dump(mode="json", by_alias=True)))
    (folder / "labels.txt").write_text(made_by.output.model_dump_json())
    return folder


def write_golden(folder: Path, made_by: Contract, *samples: float, off: float = 0.0, dtype: Any = np.float32) -> None:
    """Add golden examples to a package of :func:`graph`, its outputs wrong by ``off``."""
    inputs = np.stack([np.full(made_by.input.sample_shape, sample, dtype) for sample in samples])
    np.save(folder / "golden-in.npy", inputs)
    np.save(folder / "golden-out.npy", np.stack([np.array([-sample, sample], np.float32) for sample in samples]) + off)
    examples = [{"input": "golden-in.npy", "output": "golden-out.npy"}]
    (folder / "golden.json").write_text(json.dumps({"schema": 1, "examples": examples}))
