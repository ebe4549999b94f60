"""How long a run waits for what is still on its way."""

import time
from collections.abc import Callable

STALLED_S = 180.0
"""So long nothing at all may come to its end."""


class Patience:
    """Lasts while things go on, within a bound.

    Args:
        most_s: The bound.
        clock: Seconds, from any moment.
    """

    def __init__(self, most_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + most_s
        self._moved = clock()
        self._left: int | None = None

    def lasts(self, left: int) -> bool:
        """Whether to wait on.

        Args:
            left: How many are still on their way.
        """
        if self._left is None or left < self._left:
            self._left, self._moved = left, self._clock()
        return self._clock() < min(self._moved + STALLED_S, self._ends)
