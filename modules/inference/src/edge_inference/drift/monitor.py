"""Watches the active model's input: says when drift starts and when it ends, and marks what comes between."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Literal

from edge_common.background import background
from edge_common.clock import Clock
from edge_common.messages import Mark, ModelIdentity, PredictedPart
from edge_common.tasks import together
from edge_inference.answers import Answer
from edge_inference.drift.alerts import Alerts
from edge_inference.drift.comparison import Comparison, Score, worst
from edge_inference.drift.episode import Episode
from edge_inference.drift.measures import DriftMeasures
from edge_inference.drift.report import DriftReport, State
from edge_inference.model import LoadedModel
from edge_inference.serving import Serving
from edge_inference.session import Array
from edge_inference.settings import InferenceSettings

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often the numbers are looked at."""


class DriftMonitor:
    """Sees what was answered, and delays no answer.

    Counting has a thread of low priority; what is answered while that is busy is passed over. All else is done on the
    event loop.

    Args:
        serving: Whose active model's input is watched.
        clock: For the window, and for stamps.
        alerts: Told when drift starts and ends.
        report: Takes the state.
        measures: Takes the numbers.
    """

    def __init__(
        self, serving: Serving, clock: Clock, alerts: Alerts, report: DriftReport, measures: DriftMeasures
    ) -> None:
        self._serving = serving
        self._clock = clock
        self._alerts = alerts
        self._report = report
        self._measures = measures
        self._policy = InferenceSettings().drift
        self._episode = alerts.told()
        self._watched: ModelIdentity | None = None
        self._comparison: Comparison | None = None
        self._thread = background("drift")
        self._counting: asyncio.Future[Array] | None = None

    def configure(self, settings: InferenceSettings) -> None:
        """Set when drift is spoken of; what is in the window stays."""
        self._policy = settings.drift

    def mark(self, parts: Sequence[PredictedPart]) -> Sequence[PredictedPart]:
        """The parts, with a mark each while there is drift."""
        if self._episode is None:
            return parts
        return [part.model_copy(update={"marks": (*part.marks, Mark.DRIFT)}) for part in parts]

    def answered(self, model: LoadedModel, given: Answer) -> None:
        """A model has answered a batch."""
        self._follow()
        comparison = self._comparison
        if comparison is None or self._counting or model.identity != self._watched:
            return
        if given.samples is not None and given.predicted:
            loop = asyncio.get_running_loop()
            self._counting = loop.run_in_executor(self._thread, comparison.count, given.samples, given.predicted)
            self._counting.add_done_callback(lambda done: self._counted(comparison, done))

    async def run(self) -> None:
        """Look at the numbers, and tell of them, for ever."""
        await together(self._watch, self._report.run, self._alerts.run)

    def close(self) -> None:
        """Wait for what the thread has in hand."""
        self._thread.shutdown(cancel_futures=True)

    async def _watch(self) -> None:
        while True:
            self._look()
            await self._clock.sleep(LOOK_S)

    def _follow(self) -> None:
        """Start afresh where another model is active."""
        active = self._serving.active
        if active and active.identity != self._watched:
            self._watched = active.identity
            self._comparison = Comparison(active.contract, active.reference) if active.reference else None
            if self._episode and self._episode.model != self._watched:
                self._end(self._episode, "model", ())

    def _counted(self, comparison: Comparison, done: asyncio.Future[Array]) -> None:
        self._counting = None
        if not done.cancelled():
            rows = comparison.add(done.result(), self._clock.monotonic(), self._policy.span)
            self._measures.compared.inc(rows)

    def _look(self) -> None:
        self._follow()
        if self._watched is None:
            return
        now, comparison = self._clock.monotonic(), self._comparison
        scores = comparison.scores(now, self._policy) if comparison else ()
        if scores:
            self._judge(self._watched, scores)
        since = self._episode.since if self._episode else None
        self._report.show(self._state(scores), self._watched, since, scores, now=now)
        self._measures.show(comparison.rows if comparison else 0, scores, drifting=self._episode is not None)

    def _state(self, scores: Sequence[Score]) -> State:
        if self._comparison is None:
            return State.OFF
        if self._episode:
            return State.DRIFT
        return State.STABLE if scores else State.COLLECTING

    def _judge(self, watched: ModelIdentity, scores: Sequence[Score]) -> None:
        drifting = self._policy.drifting(scores, before=self._episode is not None)
        if drifting and self._episode is None:
            self._start(watched, scores)
        elif self._episode and not drifting:
            self._end(self._episode, "input", scores)

    def _start(self, watched: ModelIdentity, scores: Sequence[Score]) -> None:
        self._episode = Episode(model=watched, since=self._clock.now())
        log.warning("the input of model %s %s drifts: %s", watched.name, watched.version, worst(scores, 3))
        self._alerts.started(self._episode, scores)

    def _end(self, episode: Episode, cause: Literal["input", "model"], scores: Sequence[Score]) -> None:
        self._episode = None
        log.warning("the input of model %s %s drifts no more", episode.model.name, episode.model.version)
        self._alerts.ended(cause, episode, self._clock.now(), scores)
