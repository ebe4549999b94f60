"""Trains the two versions: a logistic regression on a spectrum that the graph computes itself.

A frame is cut into short pieces, each is weighed by a Hann window and taken apart into its frequencies by a convolution
with sines and cosines; of the logarithm of each frequency's power, mean and maximum over the pieces count. Version 1
hears at 2 kHz, and so no whistles; version 2 at 8 kHz.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from edge_common.contract import AudioInput, ClassificationOutput, Contract
from edge_examples.example import HeldOut, Samples, TrainedModel, trained
from edge_examples.graphs import Weights, model
from edge_examples.sound.data import LABELS, RATES, SECONDS, Recording, recording
from edge_examples.sound.files import KINDS
from edge_transform.prepare import prepare_rows

TRAINING: Final = range(1000, 1080)
HELD_OUT: Final = range(2000, 2020)
SOUNDS: Final = 10
PIECE: Final = 0.032
"""Seconds."""
FLOOR: Final = 1e-6
"""Added to each power; what is fainter is silence."""


def train() -> Sequence[TrainedModel]:
    """Both versions, checked on recordings held out."""
    known, others = _recordings(TRAINING), _recordings(HELD_OUT)
    with threadpool_limits(1):
        return (_trained("1.0.0", 2000, known, others), _trained("2.0.0", 8000, known, others))


def _recordings(numbers: range) -> Sequence[Recording]:
    return [recording(number, RATES[number % len(RATES)], SOUNDS) for number in numbers]


def _trained(version: str, rate: int, known: Sequence[Recording], others: Sequence[Recording]) -> TrainedModel:
    frame = round(SECONDS * rate)
    wanted = AudioInput(kind="audio", name="frame", rate=rate, frame=frame, step=frame, batch=32)
    output = ClassificationOutput(name="probabilities", labels=tuple(LABELS), top_k=2, alerts=("siren",))
    training, held_out = _prepared(known, wanted), _prepared(others, wanted)
    graph = _fitted(training, _truth(known), round(PIECE * rate))
    return trained(version, graph, Contract(input=wanted, output=output), training, HeldOut(held_out, _truth(others)))


def _prepared(recordings: Sequence[Recording], wanted: AudioInput) -> Samples:
    return np.concatenate([prepare_rows(KINDS["wav"](made), wanted) for made in recordings])


def _truth(recordings: Sequence[Recording]) -> Sequence[str]:
    return [label for made in recordings for label in made.labels]


def _fitted(training: Samples, truth: Sequence[str], piece: int) -> bytes:
    """The spectrum's graph, with what a regression learns from what that graph gives."""
    nodes, weights = spectrum(piece)
    bands = len(weights["waves"])
    listening = model("spectrum", ("frame", training.shape[1:]), ("features", (bands,)), nodes, weights)
    session = onnxruntime.InferenceSession(listening, providers=["CPUExecutionProvider"])
    features = session.run(["features"], {"frame": training})[0]
    mean, scale = features.mean(axis=0), features.std(axis=0)
    numbers = [LABELS.index(label) for label in truth]
    regression = LogisticRegression(max_iter=500).fit((features - mean) / scale, numbers)
    weight = regression.coef_.T / scale[:, None]
    weights |= {"weight": weight, "bias": regression.intercept_ - mean @ weight}
    nodes = [
        *nodes,
        helper.make_node("Gemm", ["features", "weight", "bias"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    return model("sounds", ("frame", training.shape[1:]), ("probabilities", (len(LABELS),)), nodes, weights)


def spectrum(piece: int) -> tuple[list[onnx.NodeProto], dict[str, Weights]]:
    """From ``frame``, shape ``(batch, values)``, to ``features``, shape ``(batch, 2 × frequencies)``.

    Args:
        piece: Values of a piece, even; pieces overlap by half.
    """
    angles = 2 * np.pi * np.outer(np.arange(1, piece // 2 + 1), np.arange(piece)) / piece
    waves = np.concatenate([np.cos(angles), np.sin(angles)]) * np.hanning(piece) * (2 / piece)
    nodes = [
        helper.make_node("Unsqueeze", ["frame", "channel"], ["sound"]),
        helper.make_node("Conv", ["sound", "waves"], ["swings"], strides=[piece // 2]),
        helper.make_node("Mul", ["swings", "swings"], ["squares"]),
        helper.make_node("Split", ["squares"], ["cosines", "sines"], axis=1),
        helper.make_node("Sum", ["cosines", "sines", "floor"], ["power"]),
        helper.make_node("Log", ["power"], ["loudness"]),
        helper.make_node("ReduceMean", ["loudness"], ["mean"], axes=[2], keepdims=0),
        helper.make_node("ReduceMax", ["loudness"], ["most"], axes=[2], keepdims=0),
        helper.make_node("Concat", ["mean", "most"], ["features"], axis=1),
    ]
    weights: dict[str, Weights] = {"waves": waves[:, None, :], "floor": np.array(FLOOR)}
    return [helper.make_node("Constant", [], ["channel"], value_ints=[1]), *nodes], weights
