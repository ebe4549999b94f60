"""Finds the best of some choices within a time. Pure: what measures and the clock are given."""

from collections.abc import Callable, Sequence
from typing import Final

from edge_inference.tuning.choice import Choice

KEEP: Final = (0.5, 0.7, 0.8, 0.9, 0.9, 0.9)
"""A round each: a choice that is slower than this share of the best after it is not measured again."""
ALIKE: Final = 0.95
"""Choices from this share of the best on are as good, and the first of them is taken."""

_NOTHING: Final = 1e-9

Measure = Callable[[Choice], float | None]
"""Samples a second; None where the choice cannot be had."""


def search(
    grid: Sequence[Choice], measure: Measure, seconds: float, clock: Callable[[], float]
) -> tuple[Choice, float] | None:
    """The best choice and its samples a second; None if nothing could be measured.

    The choices take turns, so that what changes meanwhile on the machine meets all of them; the best rate of each
    counts, since all that can happen to a run makes it slower.

    Args:
        grid: In the order in which they are taken if they are as good.
        measure: Tries a choice.
        seconds: The time; what is not likely to end within is not begun.
        clock: Monotonic seconds.
    """
    end, rates, left = clock() + seconds, dict[Choice, float](), list(grid)
    for keep in KEEP:
        for choice in left:
            if clock() + _likely(choice, rates) > end:
                continue
            rate = measure(choice)
            rates[choice] = max(rate or 0.0, rates.get(choice, 0.0))
        top = max(rates.values(), default=0.0)
        left = [choice for choice in left if rates.get(choice, 0.0) >= max(keep * top, _NOTHING)]
    good = [choice for choice in left if rates[choice] >= ALIKE * top]
    return (good[0], rates[good[0]]) if good else None


def _likely(choice: Choice, rates: dict[Choice, float]) -> float:
    """Seconds of one run by each caller."""
    top = max(rates.values(), default=0.0)
    return choice.batch * choice.callers / top if top else 0.0
