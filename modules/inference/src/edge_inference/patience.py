"""Trying again: what may succeed later is tried until nothing has moved for a while."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from edge_common.errors import EdgeError
from edge_inference.errors import UnreachableError

T = TypeVar("T")

Pause = Callable[[float], None]
"""Waits so many seconds; raises to end the work. Called with 0 between pieces of long work."""


def _nothing() -> int:
    return 0


@dataclass(frozen=True)
class Patience:
    """How long to go on trying.

    Attributes:
        seconds: How long without progress.
        longest_wait: Seconds between two attempts, at most; they grow from half a second, with full jitter.
        monotonic: The clock.
    """

    seconds: float = 120.0
    longest_wait: float = 20.0
    monotonic: Callable[[], float] = time.monotonic

    def persist(self, work: Callable[[], T], pause: Pause, progress: Callable[[], int] = _nothing) -> T:
        """Do work until it succeeds, fails for good, or has not moved for too long.

        Args:
            work: Raises errors that say whether trying again can help.
            pause: Waits between attempts.
            progress: How far the work has come; any change begins the time anew.

        Raises:
            EdgeError: The last attempt's.
        """
        retrying = Retrying(
            retry=retry_if_exception(_can_retry),
            stop=_Stalled(self, progress),
            wait=_Wait(self),
            sleep=pause,
            reraise=True,
        )
        return retrying(work)


class _Wait:
    """Longer and longer, or as long as the other side wants, if that is within the patience."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._jitter = wait_random_exponential(multiplier=0.5, max=patience.longest_wait)

    def __call__(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.after if isinstance(error, UnreachableError) else 0.0
        return max(self._jitter(state), min(asked, self._patience.seconds))


class _Stalled:
    def __init__(self, patience: Patience, progress: Callable[[], int]) -> None:
        self._patience = patience
        self._progress = progress
        self._seen = progress()
        self._since = patience.monotonic()

    def __call__(self, _state: RetryCallState) -> bool:
        now, come = self._patience.monotonic(), self._progress()
        if come != self._seen:
            self._seen, self._since = come, now
        return now - self._since >= self._patience.seconds


def _can_retry(error: BaseException) -> bool:
    return isinstance(error, EdgeError) and error.retryable
