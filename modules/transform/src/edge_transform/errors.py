"""What goes wrong in transform, besides what :mod:`edge_common.errors` has.

    StuckError
    └── DecoderStuckError  a thread is still at a file that was given up; only a new process frees it
    ItemError
    └── OverdueError       the same, as the verdict on the file

Verdicts that arise in several places stand here, too.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from edge_common.errors import ItemError, StuckError


class DecoderStuckError(StuckError):
    """A thread is still at a file that was given up; only a new process frees it."""

    hint = "the file is rejected, and the module ends, to be started again"


class OverdueError(ItemError):
    """A thread has spent so much CPU time on a file that it is given up, and is still at it.

    Args:
        seconds: How much it was allowed.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(DECODE_TIMEOUT, too_long(seconds))


def see_to_threads(errors: Iterable[ItemError]) -> None:
    """End the module where a thread is still at a file that was given up.

    Args:
        errors: What has become of some files.

    Raises:
        DecoderStuckError: It is so.
    """
    if any(isinstance(error, OverdueError) for error in errors):
        raise DecoderStuckError("a decoder does not end")


DECODE_TIMEOUT: Final = "DECODE_TIMEOUT"


def too_long(seconds: float) -> str:
    """What is said of a file that is given up."""
    return f"decoding it takes more than maxDecodeSeconds, {seconds:.0f}, of CPU time"


SEVERAL: Final = "SEVERAL"
"""No verdict: such a file is prepared picture by picture, as are those that hold many samples by their nature."""


def several() -> ItemError:
    """``SEVERAL``. Errors that are raised are made anew each time: they hold all that the frames below them held."""
    return ItemError(SEVERAL, "it holds several pictures")


def no_memory() -> ItemError:
    """``NO_MEMORY``."""
    return ItemError("NO_MEMORY", "there is not enough memory to prepare this now", can_retry=True)


@contextmanager
def judging() -> Iterator[None]:
    """What malformed data makes a decoder raise becomes a verdict on the file.

    Raises:
        ItemError: ``DECODE_FAILED``, or what is raised as one.
        MemoryError: There is not enough for it now.
        OSError: The share's.
    """
    try:
        yield
    except (ItemError, MemoryError):
        raise
    except Exception as error:  # nobody can enumerate them
        if isinstance(error, OSError) and error.errno:  # those of decoders have no number
            raise
        raise ItemError("DECODE_FAILED", f"it cannot be decoded ({error})") from error
