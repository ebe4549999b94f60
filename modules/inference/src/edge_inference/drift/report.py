"""The reported property ``drift``: a new state at once, new numbers from time to time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from edge_common.messages import ModelIdentity
from edge_inference.drift.comparison import Score, worst
from edge_inference.reporter import Reporter

NUMBERS_S: Final = 60.0
"""How often new numbers are told while the state stays."""

MOST_FEATURES: Final = 32
"""The worst are told: a twin holds 32 KB of all that a module reports."""


class State(StrEnum):
    """What is known of drift."""

    OFF = "off"
    """The model brings no reference."""
    COLLECTING = "collecting"
    """There are too few rows to say anything."""
    STABLE = "stable"
    """The input looks as it should."""
    DRIFT = "drift"
    """It does not."""


class DriftReport:
    """Tells what has changed.

    Args:
        reporter: Takes the property.
    """

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._told: Mapping[str, Any] = {}
        self._due = 0.0

    async def run(self) -> None:
        """Tell for ever."""
        await self._reporter.run()

    def show(
        self,
        state: State,
        model: ModelIdentity,
        since: datetime | None = None,
        scores: Sequence[Score] = (),
        *,
        now: float,
    ) -> None:
        """It is so now.

        Args:
            state: What is known.
            model: Of whose input.
            since: When drift began, where there is any.
            scores: The features'.
            now: Monotonic seconds.
        """
        value = {
            "state": state.value,
            "model": model.digest,
            "since": since and since.isoformat(timespec="seconds"),
            "features": [_told(score) for score in worst(scores, MOST_FEATURES)] or None,
        }
        changed = any(value[key] != self._told.get(key) for key in ("state", "model", "since"))
        if changed or (value != self._told and now >= self._due):
            self._told, self._due = value, now + NUMBERS_S
            self._reporter.show(value)


def _told(score: Score) -> Mapping[str, Any]:
    """A score as the twin has it."""
    return {"name": score.name, "psi": round(score.psi, 2), "ks": round(score.ks, 2)}
