"""Sending can be paused; that outlives restarts, and the ledger."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from edge_common.files import fsync_folder, write_atomically
from edge_common.hub import Method
from edge_ingest.operations import Nothing, method


class Pause:
    """A file that is there while sending is paused.

    Args:
        path: The file.
        changed: Called when sending was paused, or goes on.

    Attributes:
        on: Whether sending is paused.
    """

    def __init__(self, path: Path, changed: Callable[[], None]) -> None:
        self._path = path
        self._changed = changed
        self.on = path.exists()

    @property
    def methods(self) -> dict[str, Method]:
        """The direct methods, by name."""
        return {"pause": method(Nothing, self._pause), "resume": method(Nothing, self._resume)}

    async def _pause(self, _: Nothing) -> dict[str, Any]:
        await asyncio.to_thread(write_atomically, self._path, b"")
        return self._set(on=True)

    async def _resume(self, _: Nothing) -> dict[str, Any]:
        await asyncio.to_thread(_remove, self._path)
        return self._set(on=False)

    def _set(self, *, on: bool) -> dict[str, Any]:
        self.on = on
        self._changed()
        return {"paused": on}


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    fsync_folder(path.parent)
