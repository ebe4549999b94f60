"""Graphs of smaller numbers. A further kind is a line in ``KINDS``.

INT8 has weights of seven bits (``reduce_range``): with eight, processors without VNNI add up pairs of products in 16
bits, where they overflow (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html).
"""

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import numpy as np
import onnx
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.transformers.float16 import convert_float_to_float16

from edge_mlops.errors import RunError
from edge_mlops.originals import Samples

OPERATORS: Final = ("Conv", "Gemm", "MatMul")
"""What is worth INT8; probabilities themselves stay float32."""

CALIBRATION: Final = 512
"""Samples that tell which values there are, at most."""

BLOCK: Final = 64


class Kind(NamedTuple):
    """A kind of smaller numbers.

    Attributes:
        reduce: Makes a graph of another, with training samples to see which values there are.
        elsewhere: Computes a graph as hardware of another kind would, given the graph and the one it is made of.
    """

    reduce: Callable[[Path, Path, Samples], None]
    elsewhere: Callable[[Path, Path, Samples], Samples]


def _int8(graph: Path, to: Path, samples: Samples) -> None:
    model = onnx.load(graph)
    if not any(node.op_type in OPERATORS for node in model.graph.node):
        raise RunError(f"it has none of {', '.join(OPERATORS)}, which alone gain by INT8")
    with TemporaryDirectory() as folder:
        inferred = Path(folder) / "inferred.onnx"
        quant_pre_process(graph, inferred, skip_optimization=True, skip_symbolic_shape=True)
        quantize_static(
            inferred,
            to,
            _Calibration(model.graph.input[0].name, samples),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*OPERATORS],
            per_channel=True,
            reduce_range=True,
        )


class _Calibration(CalibrationDataReader):  # type: ignore[misc] # onnxruntime has no types
    def __init__(self, name: str, samples: Samples) -> None:
        every = -(-len(samples) // CALIBRATION)
        self._feeds: Iterator[dict[str, Samples]] = (
            {name: samples[::every][first : first + BLOCK]} for first in range(0, len(samples[::every]), BLOCK)
        )

    def get_next(self) -> dict[str, Samples] | None:
        return next(self._feeds, None)


def _fp16(graph: Path, to: Path, _: Samples) -> None:
    with warnings.catch_warnings(action="ignore"):  # of weights that are 0 in FP16
        onnx.save(convert_float_to_float16(onnx.load(graph), keep_io_types=True), to)


def _unfused(graph: Path, _: Path, samples: Samples) -> Samples:
    """With each value brought back to float32 before it is computed with, as where there are no kernels for INT8."""
    return _run(graph, samples, GraphOptimizationLevel.ORT_DISABLE_ALL)


def _in_float32(_: Path, original: Path, samples: Samples) -> Samples:
    """A processor computes FP16 in float32, so what a GPU rounds off is told by the graph that has all digits."""
    return _run(original, samples, GraphOptimizationLevel.ORT_ENABLE_ALL)


def _run(graph: Path, samples: Samples, level: GraphOptimizationLevel) -> Samples:
    options = SessionOptions()
    options.graph_optimization_level = level
    session = InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    blocks = [session.run(None, {name: samples[first : first + BLOCK]})[0] for first in range(0, len(samples), BLOCK)]
    return np.concatenate(blocks)


KINDS: Final[Mapping[str, Kind]] = {"int8": Kind(_int8, _unfused), "fp16": Kind(_fp16, _in_float32)}
