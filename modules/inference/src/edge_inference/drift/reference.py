"""``drift.json`` of a model package: how the features were distributed where the model was made.

For each feature its bins: ``edges``, rising, one less than there are bins, and the ``counts`` between them. The
features' names are those of :mod:`edge_inference.drift.features`; some may be left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from edge_common.contract import Contract
from edge_inference.drift.features import Features
from edge_inference.errors import ContractMismatchError, UnsafeModelError
from edge_inference.outputs import interpreter
from edge_inference.outputs.kind import Values
from edge_inference.package import DRIFT
from edge_inference.session import Array

MOST_BYTES: Final = 1 << 20
BINS: Final = 10
"""What is usual for the population stability index."""

_Edge = Annotated[float, Field(allow_inf_nan=False)]
_Count = Annotated[int, Field(ge=0, lt=1 << 53)]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="ignore", serialize_by_alias=True, validate_by_name=True, validate_by_alias=True
    )


class Histogram(_Part):
    """One feature's values: so many in each bin."""

    edges: Annotated[tuple[_Edge, ...], Field(max_length=255)]
    counts: tuple[_Count, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if any(low >= high for low, high in pairwise(self.edges)):
            raise ValueError("edges must rise")
        if len(self.counts) != len(self.edges) + 1 or not sum(self.counts):
            raise ValueError("one more count than edges is wanted, and not all of them 0")
        return self


class Reference(_Part):
    """``drift.json``."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    features: Annotated[Mapping[str, Histogram], Field(min_length=1)]


def reference(contract: Contract, batches: Iterable[tuple[Array, Values]], bins: int = BINS) -> Reference:
    """Make a reference from data that the model is meant for.

    Training data do, unless the model is far surer of them than of others; then take what was held out.

    Args:
        contract: The model's.
        batches: Pairs of prepared samples, float32 of shape ``(rows, channels, height, width)``, and what the graph
            gives for them, by output, before any activation.
        bins: Of each feature, about equally full; classes have one each where there are no more than that.

    Raises:
        ValueError: There are no samples, or some of their features are no numbers.
    """
    features, reader = Features(contract), interpreter(contract)
    pairs = ((samples, reader.interpret(values, [None] * len(samples))) for samples, values in batches)
    tables = [features.of(*pair) for pair in pairs]
    table = np.concatenate(tables) if tables else np.empty((0, 1))
    if not table.size or not np.isfinite(table).all():
        raise ValueError("a reference is made of samples, and their features must be finite numbers")
    return Reference(
        features={
            name: histogram(values, _classes(features.classes.get(name), bins), bins)
            for name, values in zip(features.names, table.T, strict=True)
        }
    )


def read_reference(folder: Path, contract: Contract) -> Reference | None:
    """A package's reference; None where it has none.

    Raises:
        UnsafeModelError: ``drift.json`` is none.
        ContractMismatchError: It tells of features that the contract does not have.
    """
    path = folder / DRIFT
    if not path.exists():
        return None
    if path.stat().st_size > MOST_BYTES:
        raise UnsafeModelError(f"{DRIFT} is over {MOST_BYTES} bytes")
    try:
        found = Reference.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UnsafeModelError(f"{DRIFT}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None
    if unknown := found.features.keys() - {*Features(contract).names}:
        raise ContractMismatchError(f"{DRIFT} tells of {min(unknown)[:100]!r}, which the contract does not have")
    return found


def histogram(values: Array, edges: Sequence[float] | None = None, bins: int = BINS) -> Histogram:
    """How values are distributed.

    Args:
        values: Finite, at least one.
        edges: Between the bins; without them bins are about equally full.
        bins: How many, then.
    """
    cuts = _quantiles(values, bins) if edges is None else np.array(edges)
    counts = np.bincount(np.searchsorted(cuts, values), minlength=len(cuts) + 1)
    return Histogram(edges=cuts.tolist(), counts=counts.tolist())


def _classes(count: int | None, bins: int) -> Sequence[float] | None:
    return [number + 0.5 for number in range(count - 1)] if count and count <= bins else None


def _quantiles(values: Array, bins: int) -> Array:
    """Edges above the quantiles, halfway to the next value, so that no value that occurs often lies on an edge.

    Where the lowest value is a bin of its own, it has an edge below, too, or else one could not see values sink.
    """
    distinct = np.unique(values)
    margin = 1e-3 * np.abs(distinct).max() + 1e-6
    around = np.concatenate([[distinct[0] - margin], distinct, [distinct[-1] + margin]])
    between = (around[1:] + around[:-1]) / 2
    quantiles = np.quantile(values, np.arange(1, bins) / bins, method="lower")
    above = np.searchsorted(distinct, quantiles) + 1
    return np.asarray(between[np.unique([0, *above] if 1 in above else above)])
