"""Models at work: what they say, how long they take, how large they are."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edge_common.contract import ClassificationOutput
from edge_inference.model import LoadedModel, all_finite
from edge_inference.outputs.kind import Row
from edge_inference.package import GRAPH
from edge_mlops.errors import RunError
from edge_mlops.evaluation.measures import Scores, Texts
from edge_mlops.originals import Samples

TIMED: Final = 200
"""Runs of one sample each that a latency is told from, at most."""


class Said(NamedTuple):
    """What a model says of samples, each of shape ``(n,)``."""

    labels: Texts
    scores: Scores


def check(model: LoadedModel) -> None:
    """See that a model classifies.

    Raises:
        RunError: It does something else.
    """
    if not isinstance(model.contract.output, ClassificationOutput):
        raise RunError(f"a classifier is held against classifiers, not against {model.contract.output.kind}")


def predict(model: LoadedModel, samples: Samples) -> Said:
    """The best label of each sample, and its score.

    Raises:
        RunError: It gives no numbers for some.
    """
    batch = model.contract.input.batch
    rows = list[Row]()
    for first in range(0, len(samples), batch):
        values = model.run(samples[first : first + batch])
        if not all_finite(values):
            raise RunError("it gives NaN or infinity for samples of the test set")
        rows += model.interpret(values, [None] * len(samples[first : first + batch]))
    return Said(np.array([row["label"] for row in rows], np.str_), np.array([row["score"] for row in rows], np.float64))


def latencies(models: Sequence[tuple[LoadedModel, Samples]]) -> list[npt.NDArray[np.float64]]:
    """Seconds that each model takes for one sample, taken in turn, so that what slows one down slows all."""
    rounds = min(TIMED, *(len(samples) for _, samples in models))
    took = np.empty((len(models), rounds))
    for number in range(rounds):
        for place, (model, samples) in enumerate(models):
            begin = time.perf_counter()
            model.run(samples[number : number + 1])
            took[place, number] = time.perf_counter() - begin
    return [*took]


def size(folder: Path) -> int:
    """Bytes of a model's graph."""
    return (folder / GRAPH).stat().st_size
