"""Trains the two versions: a network that looks at the surroundings of each cell of a grid over the picture.

It is trained on cells as a plain perceptron, and its first layer is then run over the picture as a convolution. For
each cell it says what is in the middle of its surroundings, and where exactly. Version 1 looks at 24×24 pixels,
version 2 at 48×48.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits

from edge_common.contract import BoxColumns, Contract, DetectionOutput, ImageInput
from edge_common.messages import Frame
from edge_examples.detection.data import SHAPES, Objects, Scene, scene
from edge_examples.detection.graphs import CELLS, GRID, Layers, detector
from edge_examples.example import HeldOut, Samples, TrainedModel, trained
from edge_inference.outputs.boxes import matching
from edge_transform.prepare import prepare
from edge_transform.prepare.geometry import frame

TRAINING: Final = range(1000, 1400)
HELD_OUT: Final = range(2000, 2100)
HIDDEN: Final = 48
NEAR: Final = 0.75
"""Cells: a shape whose middle is no farther, across and down, is found; one that is farther is not."""
BESIDE: Final = 1.75
"""Cells: all that are no farther from a shape teach what is not one; of the others, some do."""
NOTHING: Final = 8

Floats = npt.NDArray[np.float64]


def train() -> Sequence[TrainedModel]:
    """Both versions, checked on pictures held out."""
    known, others = [scene(number) for number in TRAINING], [scene(number) for number in HELD_OUT]
    with threadpool_limits(1):
        return (_trained("1.0.0", 24, known, others), _trained("2.0.0", 48, known, others))


def finds_all(row: Mapping[str, Any], truth: Objects) -> bool:
    """Whether a prediction has every shape by its name and place, and no other."""
    boxes = np.array(row["boxes"]).reshape(-1, 4)
    return matching(boxes, row["labels"], np.array(truth.boxes), list(truth.labels)) == 1


def _trained(version: str, side: int, known: Sequence[Scene], others: Sequence[Scene]) -> TrainedModel:
    wanted = ImageInput(
        name="image", width=side, height=side, channels="L", resize="letterbox", mean=(0.0,), scale=(1 / 255,), batch=16
    )
    boxes, scores = (BoxColumns(name="candidates", first=first, transposed=True) for first in (0, 4))
    output = DetectionOutput(
        kind="detection",
        labels=tuple(SHAPES),
        boxes=boxes,
        scores=scores,
        format="center",
        units="share",
        min_score=0.5,
        overlap=0.2,
        alerts=("triangle",),
    )
    training = _prepared(known, wanted)
    graph = _fitted(training, [_shares(each, wanted) for each in known], known)
    held_out = HeldOut(
        _prepared(others, wanted), [each.objects for each in others], [_frame(each, wanted) for each in others]
    )
    return trained(version, graph, Contract(input=wanted, output=output), training, held_out, finds_all)


def _prepared(scenes: Sequence[Scene], wanted: ImageInput) -> Samples:
    return np.stack([prepare(each.picture, wanted) for each in scenes])


def _frame(made: Scene, wanted: ImageInput) -> Frame:
    return frame(made.picture.size, made.picture.size, wanted)


def _shares(made: Scene, wanted: ImageInput) -> Floats:
    """The shapes' boxes as across, down, width and height, in shares of the sample."""
    left, top, right, bottom = _frame(made, wanted).box
    corners = (np.array(made.objects.boxes) - [left, top, left, top]) / ([right - left, bottom - top] * 2)
    return np.hstack([(corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]])


def _fitted(training: Samples, boxes: Sequence[Floats], known: Sequence[Scene]) -> bytes:
    patches, classes, places = _lessons(training, boxes, known)
    what = MLPClassifier(**_settings(20)).fit(patches, classes)
    found = classes > 0
    where = MLPRegressor(**_settings(150)).fit(patches[found], places[found])
    return detector(training.shape[-1], _layers(what), _layers(where))


def _settings(rounds: int) -> Mapping[str, Any]:
    """Of a network that learns for so many rounds, whatever the last ones bring."""
    stop = {"tol": 1e9, "n_iter_no_change": rounds, "max_iter": 2 * rounds}
    return {"hidden_layer_sizes": (HIDDEN,), "alpha": 0.01, "random_state": 0, **stop}


def _layers(network: Any) -> Layers:
    return list(zip(network.coefs_, network.intercepts_, strict=True))


def _lessons(
    training: Samples, boxes: Sequence[Floats], known: Sequence[Scene]
) -> tuple[Samples, npt.NDArray[np.int64], Floats]:
    """Cells of all pictures: what is around each, the number of its shape from 1 (0: none), and the shape's place.

    Places are relative to the cell, and in cells: across, down, width and height.
    """
    rng = np.random.default_rng(0)
    patches, classes, places = [], [], []
    for sample, here, made in zip(training, boxes, known, strict=True):
        near, place = _nearest(here)
        distance = np.abs(place[:, :2]).max(axis=1)
        others = rng.permutation(np.flatnonzero(distance > BESIDE))[:NOTHING]
        numbers = np.concatenate([np.flatnonzero(distance <= BESIDE), others])
        labels = np.array([1 + list(SHAPES).index(label) for label in made.objects.labels])
        patches.append(_patches(sample)[numbers])
        classes.append(np.where(distance <= NEAR, labels[near], 0)[numbers])
        places.append(place[numbers])
    return np.concatenate(patches), np.concatenate(classes), np.concatenate(places)


def _nearest(boxes: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """For each cell the number of the box whose middle is nearest, and where it is, relative to the cell."""
    away = (boxes[None, :, :2] - CELLS[:, None, :]) * GRID
    near = np.abs(away).max(axis=2).argmin(axis=1)
    return near, np.hstack([away[np.arange(len(CELLS)), near], boxes[near, 2:] * GRID])


def _patches(sample: Samples) -> Samples:
    """The surroundings of each cell, flat: five cells across and down, black beyond the border."""
    cell = sample.shape[-1] // GRID
    around = np.pad(sample[0], 2 * cell)
    views = np.lib.stride_tricks.sliding_window_view(around, (5 * cell, 5 * cell))[::cell, ::cell]
    return views.reshape(GRID * GRID, -1)
