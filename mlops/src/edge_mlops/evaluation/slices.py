"""Parts of the test set, on each of which the candidate is held against the active model. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from scipy.stats import binomtest

from edge_mlops.dataset.selection import Item

CHANCE: Final = 0.01
"""A slice counts as worse if chance alone would make it look so with less than this probability."""

Flags = npt.NDArray[np.bool_]


class Slice(BaseModel):
    """A part of the test set.

    Attributes:
        name: Such as ``label cat``.
        count: Samples in it.
        accuracy: The candidate's.
        active: The active model's, if there is one.
        worse: Whether the candidate is worse, beyond chance.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    count: int
    accuracy: float
    active: float | None = None
    worse: bool = False


def slices(items: Sequence[Item], labels: Sequence[str], right: Flags, active: Flags | None) -> list[Slice]:
    """All of it, and its parts by true label, by device, and by the first folder of the path.

    Args:
        items: Whose each sample is.
        labels: What each sample is.
        right: Where the candidate is right, of shape ``(n,)``.
        active: Where the active model is, likewise.
    """
    return [
        Slice(
            name=name,
            count=int(inside.sum()),
            accuracy=float(right[inside].mean()),
            active=None if active is None else float(active[inside].mean()),
            worse=active is not None and _is_worse(right[inside], active[inside]),
        )
        for name, inside in _parts(items, labels)
    ]


def _parts(items: Sequence[Item], labels: Sequence[str]) -> Iterator[tuple[str, Flags]]:
    yield "all", np.ones(len(items), np.bool_)
    keys = {
        "label": list(labels),
        "device": [item.device for item in items],
        "folder": [item.path.rpartition("/")[0].partition("/")[0] for item in items],
    }
    for kind, values in keys.items():
        every = np.array(values)
        for value in np.unique(every).tolist():
            yield f"{kind} {value}".rstrip(), every == value


def _is_worse(right: Flags, active: Flags) -> bool:
    """McNemar's exact test, one-sided: of the samples that only one of the two got right, too many are the active's."""
    lost, won = int((active & ~right).sum()), int((right & ~active).sum())
    return lost > won and bool(binomtest(lost, lost + won, alternative="greater").pvalue < CHANCE)
