"""Being told to stop."""

import signal
import sys
from types import FrameType


def tidily() -> None:
    """Have SIGTERM end this process as an exception does, so that its temporary folders go."""
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # it may come twice, and would then keep the folders from going
    sys.exit(128 + number)
