"""What a fault is."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from chaos.site import Site

SECONDS = (1.0, 6.0)
AT_ONCE = (0.0, 0.0)


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong for a while.

    Attributes:
        name: For the report.
        subject: What it is done to; no two faults are done to one subject at a time.
        strike: Gives a context: entered it injects the fault, left it undoes it.
        lasts: The least and the most seconds.
        most: How often in one run, at most; None is any number of times.
        possible: Whether this machine has what it takes.
    """

    name: str
    subject: str
    strike: Callable[[Site], AbstractAsyncContextManager[None]]
    lasts: tuple[float, float] = SECONDS
    most: int | None = None
    possible: Callable[[], bool] = lambda: True
