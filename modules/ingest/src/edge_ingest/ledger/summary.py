"""The ledger in a few numbers."""

from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Final

from edge_ingest.ledger.schema import State

LATEST: Final = 5
LONGEST_PATH: Final = 500
"""Reported properties are limited in size."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts, and the latest trouble.

    Attributes:
        items: How many items are in which state.
        quarantined: The latest of them, the last one first: path and code.
    """

    items: dict[State, int]
    quarantined: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, Any]:
        """As it is reported."""
        return {
            "items": {state.value: items for state, items in self.items.items()},
            "quarantined": [{"path": path[-LONGEST_PATH:], "code": code} for path, code in self.quarantined],
        }


def summary(db: Connection) -> Summary:
    """Count the items by state."""
    counts = dict(db.execute("SELECT state, items FROM tally").fetchall())
    latest = db.execute(
        "SELECT path, code FROM item WHERE state = 'quarantined' ORDER BY ended_at DESC LIMIT ?", (LATEST,)
    )
    return Summary(
        {state: counts.get(state.value, 0) for state in State},
        tuple((row["path"], row["code"]) for row in latest),
    )
