"""Finds out how the active model runs best once the device has nothing else to do, where that is not known yet."""

from typing import Final

from edge_common.clock import Clock
from edge_inference.batching.batcher import Batcher
from edge_inference.loader import Loader
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.serving import Serving
from edge_inference.status import SwapStatus

QUIET_S: Final = 5.0
"""So long there must have been no work."""

PAUSE_S: Final = 60.0
"""Between two attempts; twice as long each time, up to an hour."""

MOST_PAUSE_S: Final = 3600.0


class Retuning:
    """Looks whether the time has come.

    Args:
        loader: Measures.
        serving: Whose active model it is.
        batcher: Knows whether there is work.
        status: Told what came of it.
        measures: Likewise.
        clock: For the waits.
    """

    def __init__(
        self,
        *,
        loader: Loader,
        serving: Serving,
        batcher: Batcher,
        status: SwapStatus,
        measures: Measures,
        clock: Clock,
    ) -> None:
        self._loader = loader
        self._serving = serving
        self._batcher = batcher
        self._status = status
        self._measures = measures
        self._clock = clock
        self._pause = PAUSE_S

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(QUIET_S)
            active = self._serving.active
            if active is None or active.tuning:
                self._pause = PAUSE_S
            elif self._quiet:
                await self._tune(active)
                await self._clock.sleep(self._pause)
                self._pause = min(2 * self._pause, MOST_PAUSE_S)

    @property
    def _quiet(self) -> bool:
        worked = self._batcher.busy or self._clock.monotonic() - self._batcher.last < QUIET_S
        return not (worked or self._status.progress.candidate)

    async def _tune(self, model: LoadedModel) -> None:
        arrivals = self._batcher.arrivals

        def stop() -> bool:
            return self._batcher.arrivals != arrivals or self._status.progress.candidate is not None

        better = await self._loader.tune(model, stop)
        if better is not model and self._serving.improve(model, better):
            self._measures.tuned(better.tuning)
            self._status.show(self._status.progress.tuned(better))
