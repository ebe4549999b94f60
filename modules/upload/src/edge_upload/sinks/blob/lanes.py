"""How many blocks are under way at once. Pure: no I/O."""

from typing import Final

MOST: Final = 16
FIRST: Final = 2
GAIN: Final = 1.02
"""A change of the width has helped if so much more comes through: less is the link's own flutter."""


class Lanes:
    """Climbs, a lane at a time, to where more lanes bring no more bytes; halves itself when one fails.

    A link with latency is filled by more lanes. A link that is full only gets slower for each of them. So after every
    round of as many blocks as there are lanes the throughput is compared with that of the round before, and the next
    step goes on in the same direction or turns round.

    Attributes:
        width: How many blocks may be under way.
    """

    def __init__(self) -> None:
        self.width = FIRST
        self._step = 1
        self._rate = 0.0
        self._began: float | None = None
        self._done: list[int] = []

    def begin(self, now: float) -> None:
        """A transfer begins: the time since the last one does not count.

        Args:
            now: Monotonic, in seconds.
        """
        self._began, self._done = now, []

    def done(self, size: int, now: float) -> None:
        """A block of so many bytes has arrived."""
        self._done.append(size)
        if self._began is None or len(self._done) < self.width:
            return
        rate = sum(self._done) / max(now - self._began, 1e-6)
        if rate < self._rate * GAIN:
            self._step = -self._step
        self._rate = rate
        self.width = min(max(self.width + self._step, 1), MOST)
        self.begin(now)

    def failed(self, now: float) -> None:
        """A block did not arrive in time, or the store wants less."""
        self.width = max(self.width // 2, 1)
        self._rate, self._step = 0.0, 1
        self.begin(now)
