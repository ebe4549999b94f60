"""Runs that take too long are told to end."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_LOOK_S: Final = 0.1


class Watchdog:
    """Watches runs from a thread of its own, which begins with the first and ends with the process."""

    def __init__(self) -> None:
        self._ends: dict[int, tuple[float, Any]] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextmanager
    def limit(self, options: Any, seconds: float) -> Iterator[None]:
        """Set ``terminate`` of a run's options, which onnxruntime looks at between two nodes, if the body takes longer.

        Args:
            options: The run's ``RunOptions``.
            seconds: How long it may take.
        """
        with self._lock:
            self._ends[id(options)] = time.monotonic() + seconds, options
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._ends[id(options)]

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_S)
            now = time.monotonic()
            with self._lock:
                for end, options in self._ends.values():
                    if now > end:
                        options.terminate = True
