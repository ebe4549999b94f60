"""Holds a candidate to its gates in live traffic, before it serves and while it is new."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

from edge_common.clock import Clock
from edge_common.contract import Input
from edge_inference.desired import Gate, Shadow
from edge_inference.model import LoadedModel
from edge_inference.trial import Trial, Watch
from edge_inference.trials import Trials

log = logging.getLogger(__name__)

LOOK_S: Final = 0.5
"""How often the numbers are looked at."""


class Proving:
    """Waits while a candidate is watched.

    Args:
        watch: Sees the traffic.
        trials: Has batches prepared for candidates that take another input.
        clock: For the waits.
    """

    def __init__(self, watch: Watch, trials: Trials, clock: Clock) -> None:
        self._watch = watch
        self._trials = trials
        self._clock = clock

    async def shadow(self, candidate: LoadedModel, active: LoadedModel, shadow: Shadow, gate: Gate) -> None:
        """Run a candidate beside the active model: on the same batches, or, if it takes another input, on its own.

        Raises:
            ErrorRateError: It failed too often.
            DisagreementError: It differed from the active model too often.
        """
        wanted, served = candidate.contract.input, active.contract.input
        if candidate.stamp == active.stamp:
            trial = Trial(candidate, beside=candidate)
            await self._see(trial, gate, shadow.max_seconds, shadow.items)
        elif (wanted.kind, wanted.cut) == (served.kind, served.cut):
            trial = Trial(candidate, apart=True)
            async with self._sampling(wanted, shadow.share):
                await self._see(trial, gate, shadow.max_seconds, shadow.items)
        else:
            log.warning("the candidate takes files apart otherwise than the active model; it goes on unseen")
            return
        if not trial.items:
            log.warning("no live item has come by while the candidate ran beside the active model; it goes on unseen")

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
        await self._see(Trial(candidate, beside, baseline=pace), gate, gate.bake_seconds, math.inf)

    @asynccontextmanager
    async def _sampling(self, wanted: Input, share: float) -> AsyncIterator[None]:
        """Have live items prepared for the candidate, too."""
        asking = asyncio.create_task(self._trials.sample(wanted, share, self._watch.try_out))
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)

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
