"""Trains the two versions: what a window lacks of being a mix of ordinary ones tells how unusual it is.

The mix is that of a principal component analysis; the mean square of what it leaves over is compared with the most that
all but a few ordinary windows leave. Version 1 looks at two figures and so
misses some faults, version 2 at all of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from onnx import helper

from edge_common.contract import AnomalyOutput, Column, Contract, TabularInput
from edge_examples.example import HeldOut, Samples, TrainedModel, trained
from edge_examples.graphs import Weights, model
from edge_examples.telecom import files
from edge_examples.telecom.data import STEP, WINDOW, Site, site
from edge_transform.prepare import prepare_rows

TRAINING: Final = range(1000, 1040)
HELD_OUT: Final = range(2000, 2020)
COMPONENTS: Final = 20
ORDINARY: Final = 99.8
"""Percentile of what ordinary windows leave over that is still ordinary."""

LEAST_SPREAD: Final = 1e-3
"""Of a value that hardly ever differs, such as the state at noon."""

FIGURES: Final = ("load", "users", "traffic_gb", "throughput_mbps", "latency_ms", "drop_percent")
STATE: Final = Column(name="state", categories=("saving", "active"), fill=1.0)


def train() -> Sequence[TrainedModel]:
    """Both versions, checked on sites held out, which have faults."""
    known = [site(number, days=7) for number in TRAINING]
    others = [site(number, days=7, faults=4) for number in HELD_OUT]
    first, second = ("users", "latency_ms"), FIGURES
    return (
        _trained("1.0.0", windows([Column(name=name) for name in first]), known, others),
        _trained("2.0.0", windows([*(Column(name=name) for name in second), STATE]), known, others),
    )


def windows(columns: Sequence[Column]) -> TabularInput:
    """What a model of these columns wants."""
    return TabularInput(kind="tabular", name="window", columns=tuple(columns), window=WINDOW, step=STEP, batch=64)


def _trained(version: str, wanted: TabularInput, known: Sequence[Site], others: Sequence[Site]) -> TrainedModel:
    training, held_out = _prepared(known, wanted), _prepared(others, wanted)
    graph, threshold = _fitted(training)
    contract = Contract(input=wanted, output=AnomalyOutput(kind="anomaly", name="score", threshold=threshold))
    truth = [fault for one in others for fault in one.truth()]
    return trained(version, graph, contract, training, HeldOut(held_out, truth), is_told)


def is_told(row: Mapping[str, Any], fault: Any) -> bool:
    """Whether a prediction is right about a window."""
    return bool(row["alert"] == fault)


def _prepared(sites: Sequence[Site], wanted: TabularInput) -> Samples:
    return np.concatenate([prepare_rows(files.csv(one.table), wanted) for one in sites])


def _fitted(training: Samples) -> tuple[bytes, float]:
    """The graph, and the score from which on a window is unusual."""
    flat = training.reshape(len(training), -1).astype(np.float64)
    mean, scale = flat.mean(axis=0), np.maximum(flat.std(axis=0), LEAST_SPREAD)
    standard = (flat - mean) / scale
    _, _, directions = np.linalg.svd(standard, full_matrices=False)
    components = directions[:COMPONENTS].T
    left = np.square(standard - standard @ components @ components.T).mean(axis=1)
    return graph(training.shape[1:], mean, scale, components), float(np.percentile(left, ORDINARY))


def graph(shape: Sequence[int], mean: Weights, scale: Weights, components: Weights) -> bytes:
    """The model as ONNX: input ``window``, output ``score`` of shape ``(batch, 1)``, what is left over.

    Args:
        shape: Of a window: rows, columns.
        mean: Taken off; of all values of a window, flat.
        scale: Divided by; likewise.
        components: Orthonormal, shape ``(values, components)``.
    """
    nodes = [
        helper.make_node("Flatten", ["window"], ["flat"]),
        helper.make_node("Sub", ["flat", "mean"], ["around"]),
        helper.make_node("Div", ["around", "scale"], ["standard"]),
        helper.make_node("MatMul", ["standard", "components"], ["mix"]),
        helper.make_node("Gemm", ["mix", "components"], ["mixed"], transB=1),
        helper.make_node("Sub", ["standard", "mixed"], ["left"]),
        helper.make_node("Mul", ["left", "left"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["score"], axes=[1], keepdims=1),
    ]
    weights: dict[str, Weights] = {"mean": mean, "scale": scale, "components": components}
    return model("telecom-windows", ("window", shape), ("score", (1,)), nodes, weights)
