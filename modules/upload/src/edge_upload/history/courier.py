"""Brings the history to the store: seldom, in few shards."""

import hashlib
import logging
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge_common.clock import Clock
from edge_common.errors import EdgeError
from edge_common.files import atomic_writer
from edge_upload.cargo import Cargo
from edge_upload.delivery import Delivery
from edge_upload.history.events import EVENT_BYTES, Events
from edge_upload.schedule import Schedule
from edge_upload.settings import UploadSettings
from edge_upload.shards import Group
from edge_upload.threads import OneThread

log = logging.getLogger(__name__)

POLL_S: Final = 5.0
"""Each look counts all events that wait."""
RETRY_S: Final = 30.0

PATIENCE: Final = 10
"""Events wait so many times longer for a shard than results do: nobody waits for them."""


class HistoryCourier:
    """Cuts shards of events and has the store take them.

    Args:
        events: What waits.
        staging: A folder for the shard that is under way.
        device: The device's name; it is part of the shards' names in the store.
        delivery: Has the store take them.
        thread: The spool's.
        clock: Time.
    """

    def __init__(
        self, events: Events, staging: Path, device: str, delivery: Delivery, thread: OneThread, clock: Clock
    ) -> None:
        self._events = events
        self._file = staging / "history.parquet"
        self._device = quote(device, safe="")
        self._delivery = delivery
        self._thread = thread
        self._cutter = OneThread("history")
        self._clock = clock
        self._settings = UploadSettings()
        self._schedule = Schedule()
        self._failed = False

    def configure(self, settings: UploadSettings) -> None:
        """Put settings in force."""
        self._settings = settings.model_copy(update={"shard_seconds": settings.shard_seconds * PATIENCE})

    async def run(self) -> None:
        """Bring what waits, for ever; what fails is tried again."""
        while True:
            try:
                while group := await self._due():
                    await self._bring(group)
                    self._failed = False
            except (EdgeError, OSError) as error:
                self._note(error)
                await self._clock.sleep(RETRY_S)
            await self._clock.sleep(POLL_S)

    async def close(self) -> None:
        """Let a cut that is under way end."""
        await self._cutter.close()

    async def _due(self) -> Group | None:
        waiting = await self._thread.call(self._events.waiting)
        groups = [
            Group(date, layout=0, cargo=Cargo.RESULTS, hard=False, bytes=events * EVENT_BYTES, rows=events)
            for date, events in waiting
        ]
        return self._schedule.due(groups, self._clock.monotonic(), self._settings)

    async def _bring(self, group: Group) -> None:
        last, sha256 = await self._cutter.call(self._cut, group.date)
        name = f"_ledger/device={self._device}/date={group.date}/{sha256}.parquet"
        await self._delivery.deliver(name, self._file, sha256)
        await self._thread.call(self._events.forget, group.date, last)

    def _cut(self, date: str) -> tuple[int, str]:
        """Write the oldest events of a date to the file; gives the last one's entry, and the file's hash."""
        from edge_upload.history import shards  # noqa: PLC0415 - slow to import, and not needed to accept results

        self._file.parent.mkdir(exist_ok=True)
        with atomic_writer(self._file) as file:
            last = shards.write(file, self._events.batch(date, self._settings.shard_rows))
        with self._file.open("rb") as file:
            return last, hashlib.file_digest(file, "sha256").hexdigest()

    def _note(self, error: Exception) -> None:
        if not self._failed:
            log.warning("the history does not reach the store, and is tried again: %s", error)
        self._failed = True
