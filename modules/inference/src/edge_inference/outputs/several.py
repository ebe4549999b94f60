"""Several meanings at once."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from edge_common.messages import Frame
from edge_inference.outputs.kind import Interpreter, Row, Shapes, Values
from edge_inference.session import Array


class Several:
    """The columns of each, behind its name; ``alert`` where any has one, ``label`` and ``score`` of the first that has.

    Two models agree as their least agreeing meaning does.

    Args:
        each: What reads them, by name.
    """

    def __init__(self, each: Mapping[str, Interpreter]) -> None:
        self._each = each
        self.names = tuple(dict.fromkeys(chain.from_iterable(one.names for one in each.values())))
        self.columns = _joined({name: one.columns for name, one in each.items()}) | _shared(each)
        self.features = _joined({name: one.features for name, one in each.items()})

    def check(self, shapes: Shapes) -> None:
        for one in self._each.values():
            one.check(shapes)

    def interpret(self, values: Values, frames: Sequence[Frame | None]) -> list[Row]:
        rows = zip(*(one.interpret(values, frames) for one in self._each.values()), strict=True)
        return [_row(dict(zip(self._each, row, strict=True))) for row in rows]

    def agree(self, row: Row, other: Row) -> float:
        return min(one.agree(_split(row, name), _split(other, name)) for name, one in self._each.items())

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.hstack([one.measure([_split(row, name) for row in rows]) for name, one in self._each.items()])


def _shared(each: Mapping[str, Interpreter]) -> dict[str, str]:
    """The types of the columns that stand for all."""
    return {key: kind for one in each.values() for key, kind in one.columns.items() if key in {"label", "score"}}


def _row(parts: Mapping[str, Row]) -> Row:
    row: dict[str, Any] = _joined(parts)
    if alerts := [part["alert"] for part in parts.values() if "alert" in part]:
        row["alert"] = any(alerts)
    for key in ("label", "score"):
        if found := [part[key] for part in parts.values() if key in part]:
            row[key] = found[0]
    return row


def _joined(parts: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {f"{name}_{key}": value for name, part in parts.items() for key, value in part.items()}


def _split(row: Row, name: str) -> Row:
    start = f"{name}_"
    return {key.removeprefix(start): value for key, value in row.items() if key.startswith(start)}
