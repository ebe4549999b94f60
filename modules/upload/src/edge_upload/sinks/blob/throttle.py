"""No more bytes a second than were asked for."""

import asyncio
from typing import Final

from edge_common.clock import Clock

LONGEST_NAP_S: Final = 1.0
"""Another rate takes effect within it."""


class Bucket:
    """A token bucket that lends: what is sent is paid for before the next may go. Pure: no I/O.

    So a piece larger than a second's bytes needs no splitting, and the mean over pieces is the rate.

    Attributes:
        rate: Bytes a second; None for as many as will.
    """

    def __init__(self) -> None:
        self.rate: float | None = None
        self._debt = 0.0
        self._at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next piece may go, at the rate of now.

        Args:
            now: Monotonic, in seconds.
        """
        if self.rate is None:
            self._debt = 0.0
            return 0.0
        self._debt = max(self._debt - (now - self._at) * self.rate, 0.0)
        self._at = now
        return self._debt / self.rate

    def take(self, size: int) -> None:
        """Send so many bytes, now."""
        if self.rate is not None:
            self._debt += size


class Throttle:
    """Holds those who send back, in the order in which they came.

    Args:
        clock: Time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bucket = Bucket()
        self._queue = asyncio.Lock()

    def limit(self, bytes_per_second: float | None) -> None:
        """Put a rate in force, for those who wait already, too."""
        self._bucket.wait(self._clock.monotonic())
        self._bucket.rate = bytes_per_second

    async def admit(self, size: int) -> None:
        """Wait until so many bytes may be sent."""
        async with self._queue:
            while (seconds := self._bucket.wait(self._clock.monotonic())) > 0:
                await self._clock.sleep(min(seconds, LONGEST_NAP_S))
            self._bucket.take(size)
