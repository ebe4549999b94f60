"""What goes wrong in transform, besides what :mod:`edge_common.errors` has.

    StuckError
    └── DecoderStuckError  a thread is still at a file that was given up; only a new process frees it

An item's own errors are ``ItemError``; those that arise in several places stand here.
"""

from typing import Final

from edge_common.errors import ItemError, StuckError


class DecoderStuckError(StuckError):
    """A thread is still at a file that was given up; only a new process frees it."""

    hint = "the file is quarantined, and the module ends, to be started again"


NO_MEMORY: Final = ItemError("NO_MEMORY", "there is not enough memory to prepare this now", can_retry=True)


def decode_timeout(seconds: float) -> ItemError:
    """The verdict on a file that took so much CPU time, and still was not done."""
    return ItemError("DECODE_TIMEOUT", f"decoding it takes more than {seconds:.0f} s of CPU time, maxDecodeSeconds")
