"""Holds a candidate to its gates in live traffic, before it serves and while it is new."""

import logging
import math
from collections.abc import Sequence
from typing import Final

from edge_common.clock import Clock
from edge_inference.desired import Gate, Shadow
from edge_inference.model import LoadedModel
from edge_inference.trial import Trial, Watch

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""How often the numbers are looked at."""


class Proving:
    """Waits while a candidate is watched.

    Args:
        watch: Sees the traffic.
        clock: For the waits.
    """

    def __init__(self, watch: Watch, clock: Clock) -> None:
        self._watch = watch
        self._clock = clock

    async def shadow(self, candidate: LoadedModel, active: LoadedModel, shadow: Shadow, gate: Gate) -> None:
        """Run a candidate beside the active model.

        Live batches suit only models of their stamp: one that takes another input is left to Baking.

        Raises:
            ErrorRateError: It failed too often.
            DisagreementError: It differed from the active model too often.
        """
        if candidate.stamp == active.stamp:
            await self._see(Trial(candidate, beside=candidate), gate, shadow.max_seconds, shadow.items)
        else:
            log.info("the candidate takes another input than the active model, so it cannot be shadowed")

    async def bake(self, candidate: LoadedModel, before: LoadedModel | None, pace: Sequence[float], gate: Gate) -> None:
        """Watch a candidate that serves.

        Args:
            candidate: The active model now.
            before: The one before it, if that is in memory.
            pace: That one's.
            gate: What the candidate is held to.

        Raises:
            ErrorRateError: It failed too often.
            DisagreementError: It differed from the model before it too often.
            LatencyError: It is too slow.
        """
        candidate.pace.clear()
        beside = before if gate.min_agreement else None
        await self._see(Trial(candidate, beside, pace), gate, gate.bake_seconds, math.inf)

    async def _see(self, trial: Trial, gate: Gate, seconds: float, items: float) -> None:
        end = self._clock.monotonic() + seconds
        self._watch.trial = trial
        try:
            while (left := end - self._clock.monotonic()) > 0 and trial.items < items:
                await self._clock.sleep(min(LOOK_S, left))
                if trial.conclusive:
                    trial.judge(gate)
            trial.judge(gate)
        finally:
            self._watch.trial = None
