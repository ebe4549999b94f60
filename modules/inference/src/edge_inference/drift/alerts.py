"""Alert messages that drift has started or ended, in order, without anybody having to wait for the connection."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from edge_common.hub import Hub
from edge_common.messages import DriftAlert, FeatureDrift
from edge_inference.drift.comparison import Score, worst
from edge_inference.drift.episode import Episode, EpisodeFile

OUTPUT: Final = "alerts"
MOST_FEATURES: Final = 10


class Alerts:
    """Sends alerts, and keeps on disk what the last one said.

    Kept after it was sent: a crash between the two repeats an alert, and loses none.

    Args:
        hub: The connection.
        file: Where the drift that was told of is kept.
    """

    def __init__(self, hub: Hub, file: EpisodeFile) -> None:
        self._hub = hub
        self._file = file
        self._waiting: asyncio.Queue[DriftAlert] = asyncio.Queue()

    def told(self) -> Episode | None:
        """The drift whose start was told, and its end was not."""
        return self._file.read()

    def started(self, episode: Episode, scores: Sequence[Score]) -> None:
        """Drift has started."""
        self._put("started", "input", episode, episode.since, scores)

    def ended(self, cause: Literal["input", "model"], episode: Episode, at: datetime, scores: Sequence[Score]) -> None:
        """Drift has ended."""
        self._put("ended", cause, episode, at, scores)

    async def run(self) -> None:
        """Send for ever."""
        while True:
            alert = await self._waiting.get()
            model = alert.model
            about = {"kind": "alert", "alert": "drift", "state": alert.state}
            await self._hub.send(OUTPUT, alert.encode(), {**about, "model": model.name, "version": model.version})
            self._file.write(Episode(model=model, since=alert.since) if alert.state == "started" else None)

    def _put(
        self,
        state: Literal["started", "ended"],
        cause: Literal["input", "model"],
        episode: Episode,
        at: datetime,
        scores: Sequence[Score],
    ) -> None:
        features = tuple(
            FeatureDrift(name=each.name, psi=each.psi, ks=each.ks) for each in worst(scores, MOST_FEATURES)
        )
        self._waiting.put_nowait(
            DriftAlert(state=state, cause=cause, model=episode.model, at=at, since=episode.since, features=features)
        )
