"""Waiting longer and longer, and never in step with others."""

from collections.abc import Callable
from dataclasses import dataclass
from random import random


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff with jitter over the upper half.

    Attributes:
        first_s: The first delay, at most.
        longest_s: Any delay, at most.
        draw: A random number in [0, 1).
    """

    first_s: float = 1.0
    longest_s: float = 30.0
    draw: Callable[[], float] = random

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures in a row, from 1."""
        longest = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return longest * (0.5 + 0.5 * self.draw())
