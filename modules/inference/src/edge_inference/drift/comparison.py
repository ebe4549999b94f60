"""One model's live input, held against its reference. Pure: time is an argument."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edge_common.contract import Contract
from edge_common.messages import PredictedPart
from edge_inference.drift.features import Features
from edge_inference.drift.histograms import Bins, kolmogorov_smirnov, population_stability
from edge_inference.drift.reference import Reference
from edge_inference.drift.window import Span, Window
from edge_inference.session import Array

CLEARED: Final = 0.4
"""A drift has ended when everything is under this share of the thresholds: 0.1 where the index's is 0.25."""


@dataclass(frozen=True, slots=True)
class Score:
    """How far one feature has drifted: population stability index and Kolmogorov-Smirnov statistic."""

    name: str
    psi: float
    ks: float


def worst(scores: Sequence[Score], most: int) -> Sequence[Score]:
    """Those that drifted furthest by their index, the worst first."""
    return sorted(scores, key=lambda score: (-score.psi, score.name))[:most]


@dataclass(frozen=True, slots=True)
class Policy:
    """When drift is spoken of.

    Attributes:
        span: The window.
        least: Rows that it must hold before anything is said.
        psi: The threshold of the population stability index.
        ks: The threshold of the Kolmogorov-Smirnov statistic.
    """

    span: Span
    least: int
    psi: float
    ks: float

    def drifting(self, scores: Sequence[Score], *, before: bool) -> bool:
        """Whether there is drift, given whether there was: it starts at a threshold, and ends well below all."""
        share = CLEARED if before else 1.0
        return any(score.psi >= share * self.psi or score.ks >= share * self.ks for score in scores)


class Comparison:
    """Counts rows and compares them.

    Args:
        contract: The model's.
        reference: The model's.
    """

    def __init__(self, contract: Contract, reference: Reference) -> None:
        self._features = Features(contract)
        self._names = [name for name in self._features.names if name in reference.features]
        self._columns = [self._features.names.index(name) for name in self._names]
        histograms = [reference.features[name] for name in self._names]
        self._bins = Bins([histogram.edges for histogram in histograms])
        self._expected = np.zeros(self._bins.shape)
        self._expected[self._bins.real] = [count for histogram in histograms for count in histogram.counts]
        self._window = Window(self._bins.shape)

    @property
    def rows(self) -> int:
        """Rows in the window."""
        return self._window.rows

    def count(self, samples: Array, parts: Iterable[PredictedPart]) -> Array:
        """Sort rows into bins; changes nothing, so it may run in any thread.

        Args:
            samples: The batch, prepared.
            parts: Those of its parts that have predictions.
        """
        every = list(parts)
        chosen = np.concatenate([np.arange(part.first, part.first + part.rows) for part in every])
        predictions = [row for part in every for row in part.predictions]
        with np.errstate(all="ignore"):  # what is no number has a bin, too
            values = self._features.of(samples, predictions, chosen)
        return self._bins.count(values[:, self._columns])

    def add(self, counts: Array, now: float, span: Span) -> int:
        """Let rows that were counted come into the window; says how many they are."""
        rows = int(counts[0].sum())
        self._window.add(counts, rows, now, span)
        return rows

    def scores(self, now: float, policy: Policy) -> Sequence[Score]:
        """Each feature's, in the features' order; none while there are too few rows."""
        self._window.slide(now, policy.span)
        if self.rows < policy.least:
            return []
        live = self._window.counts
        indices = population_stability(live, self._expected, self._bins.real)
        distances = kolmogorov_smirnov(live, self._expected)
        return [
            Score(name, round(psi, 4), round(ks, 4))
            for name, psi, ks in zip(self._names, indices.tolist(), distances.tolist(), strict=True)
        ]
