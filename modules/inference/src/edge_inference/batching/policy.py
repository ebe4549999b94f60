"""When a run begins, and what goes into it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from edge_inference.batching.turns import Turns, Waiting

T = TypeVar("T")

FILL_S: Final = 0.005
"""How long work waits for more to share its run, while the device is busy with other runs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the device takes.

    Attributes:
        callers: Runs at once.
        batch: The most samples of a run, to which others are cut; 0 leaves all work as it comes, each in its own run.
    """

    callers: int
    batch: int = 0


def wait(turns: Turns[T], running: int, limits: Limits, now: float) -> float | None:
    """Seconds until a further run is to begin: 0 if one is now; None where that depends on what comes next.

    Args:
        turns: What waits.
        running: Runs under way.
        limits: The device's.
        now: Monotonic seconds.
    """
    if not turns or running >= limits.callers:
        return None
    if running == 0 or turns.rows >= limits.batch:
        return 0.0
    return max(0.0, turns.oldest + FILL_S - now)


def take(turns: Turns[T], first: Waiting[T], batch: int, joins: Callable[[Waiting[T]], bool]) -> list[Waiting[T]]:
    """Take what goes into a run besides the first, in turn: as much as fits.

    Args:
        turns: What else waits.
        first: Whose turn it is; taken already.
        batch: The most samples of the run; 0 leaves it to the first.
        joins: Whether something can share the run.
    """
    run, rows = [first], first.rows
    while turns:
        following = turns.peek()
        rows += following.rows
        if rows > batch or not joins(following):
            break
        run.append(turns.pop())
    return run
