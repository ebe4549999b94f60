"""Counts of values in bins, and how far two such histograms are apart. Pure.

All features of a model stand in one table: a row a feature, padded on the right where it has fewer bins than others.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from edge_inference.session import Array

SMOOTHING: Final = 0.5
"""Added to the count of every bin, so that an empty one makes no infinity (the prior of Jeffreys)."""


class Bins:
    """How values are sorted into bins: the bin of a value is the number of edges below it; NaN is in the first.

    Args:
        edges: Of each feature, rising; one less than it has bins.
    """

    def __init__(self, edges: Sequence[Sequence[float]]) -> None:
        most = max(map(len, edges))
        self._edges = np.array([[*row, *[np.inf] * (most - len(row))] for row in edges]).reshape(len(edges), most)
        self.shape = (len(edges), most + 1)
        self.real = np.arange(most + 1) <= np.array([[len(row)] for row in edges])

    def count(self, values: Array) -> Array:
        """Counts of shape ``(features, bins)``, of values of shape ``(rows, features)``."""
        features, bins = self.shape
        found = (values[:, :, None] > self._edges).sum(axis=2) + np.arange(features) * bins
        return np.bincount(found.ravel(), minlength=features * bins).reshape(features, bins)


def population_stability(live: Array, reference: Array, real: Array) -> Array:
    """The population stability index of each feature: ``sum((a - e) * ln(a / e))`` over its bins.

    ``a`` and ``e`` are the live and the expected share of a bin, smoothed by ``SMOOTHING``. Source: Siddiqi, *Credit
    Risk Scorecards*, 2006; it is the symmetrised Kullback-Leibler divergence (Kullback and Leibler, 1951).

    Args:
        live: Counts of shape ``(features, bins)``.
        reference: Likewise.
        real: Which of the bins there are; likewise.
    """
    actual, expected = _smoothed(live, real), _smoothed(reference, real)
    ratio = np.log(actual, where=real, out=np.zeros_like(actual)) - np.log(
        expected, where=real, out=np.zeros_like(expected)
    )
    return np.asarray(((actual - expected) * ratio).sum(axis=1))


def kolmogorov_smirnov(live: Array, reference: Array) -> Array:
    """The two-sample Kolmogorov-Smirnov statistic of each feature, looked at between bins only.

    The greatest distance of the cumulated shares. It is that of the unbinned samples at most, and short of it by no
    more than the largest bin's share. Source: Smirnov, *Annals of Mathematical Statistics* 19, 1948.

    Args:
        live: Counts of shape ``(features, bins)``, at least one in each row.
        reference: Likewise.
    """
    return np.asarray(np.abs(_cumulated(live) - _cumulated(reference)).max(axis=1))


def _smoothed(counts: Array, real: Array) -> Array:
    raised = counts + SMOOTHING * real
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def _cumulated(counts: Array) -> Array:
    return np.asarray(counts.cumsum(axis=1) / counts.sum(axis=1, keepdims=True))
