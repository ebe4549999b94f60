"""Things that happen late, in order."""

import asyncio
from collections import deque
from collections.abc import Callable


class Lane:
    """Does what it is given after a delay, and never before what it was given earlier."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._last_due = 0.0

    def put(self, action: Callable[[], None], delay_s: float) -> None:
        """Do `action` after `delay_s` seconds: now, if that is 0 and nothing is before it."""
        if not delay_s and not self._waiting:
            action()
            return
        loop = asyncio.get_running_loop()
        self._last_due = max(loop.time() + delay_s, self._last_due)
        self._waiting.append(action)
        loop.call_at(self._last_due, self._do_next)

    def _do_next(self) -> None:
        self._waiting.popleft()()
