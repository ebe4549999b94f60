"""What goes wrong in transform, besides what :mod:`edge_common.errors` has.

    StuckError
    └── DecoderStuckError  a thread is still at a file that was given up; only a new process frees it
    ItemError
    └── OverdueError       the same, as the verdict on the file

Verdicts that arise in several places stand here, too.
"""

from typing import Final

from edge_common.errors import ItemError, StuckError


class DecoderStuckError(StuckError):
    """A thread is still at a file that was given up; only a new process frees it."""

    hint = "the file is quarantined, and the module ends, to be started again"


class OverdueError(ItemError):
    """A thread has spent so much CPU time on a file that it is given up, and is still at it.

    Args:
        seconds: How much it was allowed.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(DECODE_TIMEOUT, too_long(seconds))


DECODE_TIMEOUT: Final = "DECODE_TIMEOUT"


def too_long(seconds: float) -> str:
    """What is said of a file that is given up."""
    return f"decoding it takes more than maxDecodeSeconds, {seconds:.0f}, of CPU time"


NO_MEMORY: Final = ItemError("NO_MEMORY", "there is not enough memory to prepare this now", can_retry=True)
