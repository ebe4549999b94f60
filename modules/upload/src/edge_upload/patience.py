"""Takes steps towards the store again until they succeed."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_random_exponential

from edge_common.clock import Clock
from edge_common.errors import EdgeError

log = logging.getLogger(__name__)

LONGEST_WAIT_S: Final = 60.0

T = TypeVar("T")


class Patience:
    """Tries again, with back-off and full jitter.

    Args:
        clock: Time.

    Attributes:
        failure: What went wrong last, until something succeeds.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.failure: str | None = None

    async def persist(self, step: Callable[[], Awaitable[T]]) -> T:
        """Take a step until it succeeds; what trying again cannot help is raised."""
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_S),
            sleep=self._clock.sleep,
            before_sleep=self._note,
        )
        result: T = await tries(step)
        self.failure = None
        return result

    def _note(self, state: RetryCallState) -> None:
        error = state.outcome and state.outcome.exception()
        if str(error) != self.failure:
            log.warning("the store is not reached, and is tried again: %s", error)
        self.failure = str(error)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, OSError) or (isinstance(error, EdgeError) and error.retryable)
