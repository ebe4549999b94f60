"""Cell sites as an example."""

from collections.abc import Sequence
from typing import Final

from edge_examples.drops import Drop
from edge_examples.example import Example
from edge_examples.telecom import drops
from edge_examples.telecom.training import is_told, train


def _drops(count: int) -> Sequence[Drop]:
    return [*drops.good(count), *drops.bad()]


TELECOM: Final = Example(
    "telecom",
    "tables of cell sites' key figures (CSV, JSON Lines, Parquet)",
    150,
    train,
    _drops,
    is_right=is_told,
    columns=("alert",),
    upstream="alert = 'true'",
)
