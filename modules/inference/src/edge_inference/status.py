"""How far the swap has come, told wherever somebody looks: the reported property, the counters, the log."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from edge_common.clock import Clock
from edge_inference.errors import ModelError
from edge_inference.measures import Measures
from edge_inference.reporter import Reporter
from edge_inference.swap import Outcome, Progress, State, failed

log = logging.getLogger(__name__)

PERCENT_S: Final = 1.0
"""How often the share of a package that is here is told."""

EndedBadly = Callable[[ModelError, datetime, float], Outcome]


class SwapStatus:
    """Tells of each step.

    Args:
        reporter: Takes the reported property ``model``.
        measures: Counted into.
        clock: For durations and stamps.
        progress: What is known at the start.

    Attributes:
        progress: How far it is now.
    """

    def __init__(self, reporter: Reporter, measures: Measures, clock: Clock, progress: Progress) -> None:
        self._reporter = reporter
        self._measures = measures
        self._clock = clock
        self.progress = progress
        self._percent_due = 0.0

    async def run(self) -> None:
        """Report for ever."""
        await self._reporter.run()

    def show(self, progress: Progress) -> None:
        """It has come so far."""
        self.progress = progress
        self._reporter.show(progress.reported())

    def step(self, state: State) -> None:
        """It has come to this state."""
        self.show(self.progress.at(state))

    def come(self, digest: str, percent: int) -> None:
        """So much of a package is here; told where it is the candidate, and not too often."""
        candidate, now = self.progress.candidate, self._clock.monotonic()
        if candidate and candidate.digest == digest and candidate.percent != percent and now >= self._percent_due:
            self._percent_due = now + PERCENT_S
            self.show(self.progress.fetching(digest, percent))

    def fail(self, error: ModelError, started: float, ended: EndedBadly = failed) -> None:
        """It has ended badly.

        Args:
            error: Why.
            started: When, in monotonic seconds.
            ended: What is made of it.
        """
        log.error("the model could not be put in service: %s: %s", error.code, error)
        self._measures.swaps.labels(error.code).inc()
        outcome = ended(error, self._clock.now(), self._clock.monotonic() - started)
        self.show(self.progress.at(State.FAILED).ended(outcome))
