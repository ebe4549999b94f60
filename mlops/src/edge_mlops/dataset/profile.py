"""How a version of a dataset looks, and how far from the version before."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from edge_common.contract import Input
from edge_inference.drift.features import INPUTS
from edge_inference.drift.histograms import Bins, population_stability
from edge_inference.drift.reference import Histogram, histogram
from edge_mlops.originals import Prepared

Values = npt.NDArray[np.float64]

BYTES: Final = "bytes"
"""The feature that every file has."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Feature(_Part):
    """A feature of all samples; of ``bytes``, of all items.

    Attributes:
        low: The least value.
        mean: Of the values.
        high: The largest.
        histogram: Of the values.
        psi: Population stability index, held against the version before; None where that does not have the feature.
    """

    low: float
    mean: float
    high: float
    histogram: Histogram
    psi: float | None = None


class Profile(_Part):
    """What is known of a version, beyond its counts.

    Attributes:
        days: Items by date and split.
        classes: Items by label and split.
        classes_psi: Population stability index of the labels, held against the version before.
        features: By name.
        unprepared: How many items cannot be prepared, by code.
    """

    days: Mapping[str, Mapping[str, int]]
    classes: Mapping[str, Mapping[str, int]]
    classes_psi: float | None
    features: Mapping[str, Feature]
    unprepared: Mapping[str, int]


async def measure(items: AsyncIterator[Prepared], wanted: Input | None, before: Profile | None) -> Profile:
    """Look at each item once. In memory are a few numbers of each sample.

    Args:
        items: All of them; with samples where an input half is given.
        wanted: The contract's input half that they were prepared under, if they were.
        before: The profile of the version before.
    """
    days: dict[str, Counter[str]] = defaultdict(Counter)
    classes: dict[str, Counter[str]] = defaultdict(Counter)
    unprepared: Counter[str] = Counter()
    kind = INPUTS[wanted.kind](wanted) if wanted and wanted.kind in INPUTS else None
    sizes: list[int] = []
    tables: list[Values] = []
    async for item, samples, code in items:
        sizes.append(item.bytes)
        days[item.date][item.split] += 1
        for label in set(item.classes):
            classes[label][item.split] += 1
        if code:
            unprepared[code] += 1
        elif kind and len(samples):
            tables.append(np.asarray(kind.of(samples), np.float64))
    values = {BYTES: np.array(sizes, np.float64)}
    if kind and tables:
        values |= dict(zip(kind.names, np.concatenate(tables).T, strict=True))
    earlier = before.features if before else {}
    return Profile(
        days=days,
        classes=dict(sorted(classes.items())),
        classes_psi=_classes_psi(classes, before.classes) if before else None,
        features={name: _feature(column, earlier.get(name)) for name, column in values.items()},
        unprepared=unprepared,
    )


def _feature(values: Values, before: Feature | None) -> Feature:
    psi = None
    if before:
        bins = Bins([before.histogram.edges])
        psi = _psi(bins.count(values[:, None]), np.array([before.histogram.counts]), bins.real)
    low, mean, high = float(values.min()), float(values.mean()), float(values.max())
    return Feature(low=low, mean=mean, high=high, histogram=histogram(values), psi=psi)


def _classes_psi(now: Mapping[str, Mapping[str, int]], before: Mapping[str, Mapping[str, int]]) -> float | None:
    names = sorted({*now} | {*before})
    if not now or not before:
        return None
    return _psi(_totals(now, names), _totals(before, names), np.ones((1, len(names)), np.bool_))


def _totals(classes: Mapping[str, Mapping[str, int]], names: Sequence[str]) -> Values:
    return np.array([[sum(classes.get(name, {}).values()) for name in names]], np.float64)


def _psi(live: npt.NDArray[np.generic], reference: npt.NDArray[np.generic], real: npt.NDArray[np.bool_]) -> float:
    return round(float(population_stability(live, reference, real)[0]), 4)
