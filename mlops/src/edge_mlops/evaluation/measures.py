"""What is measured of predictions. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

BINS: Final = 10
"""Of the reliability diagram, of equal width."""

Texts = npt.NDArray[np.str_]
Scores = npt.NDArray[np.float64]


class Bin(BaseModel):
    """Predictions whose scores are near each other.

    Attributes:
        count: How many.
        score: The mean of their scores.
        accuracy: The share of them that is right.
    """

    model_config = ConfigDict(frozen=True)

    count: int
    score: float
    accuracy: float


class Quality(BaseModel):
    """How good predictions are.

    Attributes:
        accuracy: The share that is right.
        precision: The mean of the labels' precisions.
        precisions: By true label: of those that were said to be it, the share that is; 0 where it was never said.
        recalls: By true label: of those that are it, the share that was said to be.
        calibration: Expected calibration error, the mean distance of score and accuracy, weighted by the bins' counts
            (Naeini, Cooper and Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", 2015).
        reliability: The bins that are not empty, by score.
        labels: All that is true or said, sorted.
        confusion: How many of each true label (rows) were said to be each (columns).
    """

    model_config = ConfigDict(frozen=True)

    accuracy: float
    precision: float
    precisions: Mapping[str, float]
    recalls: Mapping[str, float]
    calibration: float
    reliability: Sequence[Bin]
    labels: Sequence[str]
    confusion: Sequence[Sequence[int]]


def quality(truth: Texts, said: Texts, scores: Scores) -> Quality:
    """Measure predictions; all three of shape ``(n,)``, ``n`` at least 1.

    Args:
        truth: What is.
        said: What was said to be.
        scores: How sure that was said, from 0 to 1.
    """
    labels, numbers = np.unique(np.concatenate([truth, said]), return_inverse=True)
    confusion = np.zeros((len(labels), len(labels)), np.int64)
    np.add.at(confusion, (numbers[: len(truth)], numbers[len(truth) :]), 1)
    right, true, told = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    there = true > 0
    precisions = right[there] / np.maximum(told[there], 1)
    names = labels[there].tolist()
    bins = _reliability(truth == said, scores)
    return Quality(
        accuracy=float(right.sum() / len(truth)),
        precision=float(precisions.mean()),
        precisions=dict(zip(names, precisions.tolist(), strict=True)),
        recalls=dict(zip(names, (right[there] / true[there]).tolist(), strict=True)),
        calibration=sum(one.count * abs(one.score - one.accuracy) for one in bins) / len(truth),
        reliability=bins,
        labels=labels.tolist(),
        confusion=confusion.tolist(),
    )


def _reliability(right: npt.NDArray[np.bool_], scores: Scores) -> list[Bin]:
    places = np.minimum((scores * BINS).astype(int), BINS - 1)
    return [
        Bin(count=int(inside.sum()), score=float(scores[inside].mean()), accuracy=float(right[inside].mean()))
        for inside in (places == place for place in range(BINS))
        if inside.any()
    ]
