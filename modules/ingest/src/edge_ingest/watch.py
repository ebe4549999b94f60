"""Notices changes on the share between two scans, by inotify."""

import asyncio
import logging
import warnings
from pathlib import Path
from threading import Lock
from typing import Final

from watchdog.events import FileClosedEvent, FileCreatedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers.inotify import InotifyObserver

from edge_common.clock import Clock
from edge_common.mounts import lies_on_remote
from edge_ingest.bell import Bell
from edge_ingest.settings import Watch
from edge_ingest.sight import PRIVATE

log = logging.getLogger(__name__)

MOST_NOTED: Final = 10_000
"""Paths that wait to be taken over; beyond, a scan finds them."""


EVENTS: Final[list[type[FileSystemEvent]]] = [FileClosedEvent, FileCreatedEvent, FileMovedEvent]


class Noted(FileSystemEventHandler):
    """Paths that something happened to, handed from watchdog's threads to the event loop.

    Args:
        root: The share's root, as watchdog has it in its events.
        bell: Rung where there is something to take.
    """

    def __init__(self, root: Path, bell: Bell) -> None:
        self._prefix = f"{root}/"
        self._bell = bell
        self._loop = asyncio.get_running_loop()
        self._lock = Lock()
        self._paths: dict[str, bool] = {}
        self._overflown = False

    def dispatch(self, event: FileSystemEvent) -> None:
        """Note a path; called on watchdog's thread. Renamed files are whole, others have to settle."""
        in_place = isinstance(event, FileMovedEvent)
        path = str(event.dest_path if in_place else event.src_path).removeprefix(self._prefix)
        if not path or path.startswith((f"{PRIVATE}/", "/")):
            return
        with self._lock:
            wake = not self._paths
            if len(self._paths) < MOST_NOTED:
                self._paths[path] = in_place
            else:
                self._overflown = True
        if wake:
            self._loop.call_soon_threadsafe(self._bell.ring)

    def take(self) -> tuple[dict[str, bool], bool]:
        """What was noted since the last time: paths, with whether each was renamed; and whether some were missed."""
        with self._lock:
            paths, overflown = self._paths, self._overflown
            self._paths, self._overflown = {}, False
        return paths, overflown


class ShareWatch:
    """Watches one root at a time, where that is possible and wanted.

    Args:
        root: The share's root.
        clock: For the bell.
    """

    def __init__(self, root: Path, clock: Clock) -> None:
        self.bell = Bell(clock)
        self._root = root
        self._noted = Noted(root, self.bell)
        self._lock = Lock()
        self._closed = False
        self._observer: InotifyObserver | None = None
        self._watched: tuple[object, Watch] | None = None

    def take(self) -> tuple[dict[str, bool], bool]:
        """What was noted since the last time; see ``Noted.take``."""
        return self._noted.take()

    def ensure(self, identity: object, mode: Watch) -> None:
        """Watch the root that is there now; blocks while the watches are set.

        Args:
            identity: Tells one root from another; a remounted share is another one.
            mode: As set.
        """
        with self._lock:
            if self._closed or self._watched == (identity, mode):
                return
            self._stop()
            if mode == "inotify" or (mode == "auto" and not lies_on_remote(self._root)):
                self._start()
            self._watched = (identity, mode)

    def close(self) -> None:
        """Watch no longer, and never again; blocks while watches are set or taken down."""
        with self._lock:
            self._closed = True
            self._stop()

    def _stop(self) -> None:
        if self._observer:
            self._observer.stop()
            self._observer.join()
        self._observer = None

    def _start(self) -> None:
        try:
            self._observer = _observe(self._root, self._noted)
        except OSError as error:
            log.warning("the share cannot be watched (%s); changes are found by scans alone", error)


def _observe(root: Path, handler: FileSystemEventHandler) -> InotifyObserver:
    # Folders that are made one in the other are found twice, of which watchdog warns its caller.
    warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
    observer = InotifyObserver(generate_full_events=True)
    try:
        observer.schedule(handler, str(root), recursive=True, event_filter=EVENTS)
        observer.start()
    except OSError:
        observer.stop()
        raise
    return observer
