"""Something of which only so much may be in use at once, such as memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock


class Room:
    """Shared by threads; the first to wait is the first to be let in.

    Args:
        most: In use at once, at most. May be changed at any time; for what is in use already that comes too late.

    Attributes:
        used: What is in use.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.used = 0
        self._left = Condition()
        self._turn = Lock()

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Wait until there is room, and use it; what is larger than all of it waits until it is alone."""
        with self._turn, self._left:
            self._left.wait_for(lambda: not self.used or self.used + amount <= self.most)
            self.used += amount
        try:
            yield
        finally:
            with self._left:
                self.used -= amount
                self._left.notify_all()
