"""Tables of a cell site's load, and a model that tells busy hours from quiet ones."""

import json
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
from onnx import TensorProto, helper

from edge_common.contract import ClassificationOutput, Column, Contract, TabularInput

STATES = ("idle", "active")
BUSY = 50.0


def contract(window: int = 1, step: int = 1, batch: int = 100) -> Contract:
    """Busy is where the mean of the column ``load`` is over ``BUSY``."""
    columns = (Column(name="load", fill=0.0), Column(name="state", categories=STATES))
    return Contract(
        input=TabularInput(kind="tabular", columns=columns, window=window, step=step, batch=batch),
        output=ClassificationOutput(labels=("quiet", "busy"), top_k=1),
    )


def model(made_for: Contract) -> bytes:
    """Gives the scores ``BUSY`` and the mean of the first column."""
    shape = made_for.input.sample_shape
    nodes = [
        helper.make_node("Gather", ["input", "first"], ["load"], axis=len(shape)),
        helper.make_node("Flatten", ["load"], ["flat"]),
        helper.make_node("ReduceMean", ["flat", "one"], ["mean"], keepdims=1),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        helper.make_node("Add", ["nothing", "busy"], ["limit"]),
        helper.make_node("Concat", ["limit", "mean"], ["output"], axis=1),
    ]
    constants = [
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
        helper.make_tensor("one", TensorProto.INT64, [1], [1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("busy", TensorProto.FLOAT, [], [BUSY]),
    ]
    taken = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["batch", *shape])
    given = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(nodes, "hours", [taken], [given], constants)
    body = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(body)
    return bytes(body.SerializeToString())


def loads(rows: int, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).uniform(0, 100, rows).round(3)


def table(values: npt.NDArray[np.float64]) -> "pa.Table":
    columns: dict[str, Any] = {
        "hour": np.arange(len(values)),
        "load": values,
        "note": [f"n{number}" for number in range(len(values))],
        "state": [STATES[number % 2] for number in range(len(values))],
    }
    return pa.table(columns)


def csv(values: npt.NDArray[np.float64], delimiter: str = ",") -> bytes:
    rows = table(values).to_pylist()
    lines = [delimiter.join(rows[0]), *(delimiter.join(map(str, row.values())) for row in rows)]
    return ("\n".join(lines) + "\n").encode()


def json_lines(values: npt.NDArray[np.float64]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in table(values).to_pylist()).encode()


def parquet(values: npt.NDArray[np.float64]) -> bytes:
    file = BytesIO()
    pq.write_table(table(values), file, row_group_size=333)
    return file.getvalue()
