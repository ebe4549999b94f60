"""Which fault strikes when. Pure: the seed decides."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from chaos.fault import Fault

PAUSE_S = 1.0
"""Between two faults of one subject."""


@dataclass(frozen=True)
class Stroke:
    """A fault at its time, in seconds from the start."""

    at: float
    lasts: float
    fault: Fault

    @property
    def ends(self) -> float:
        return self.at + self.lasts


@dataclass
class _Dealer:
    """Deals every fault once before any comes again, but passes over those whose subject still suffers."""

    deck: Sequence[Fault]
    random: Random
    hand: list[Fault] = field(default_factory=list)
    dealt: Counter[str] = field(default_factory=Counter)
    free_from: dict[str, float] = field(default_factory=dict)

    def stroke(self, at: float) -> Stroke:
        fault = self._take(at) or self._take_of_new_hand(at)
        if fault is None:
            raise ValueError("every subject suffers already: fewer faults, or more files, which take longer")
        stroke = Stroke(at, self.random.uniform(*fault.lasts), fault)
        self.free_from[fault.subject] = stroke.ends + PAUSE_S
        self.dealt[fault.name] += 1
        return stroke

    def _take(self, at: float) -> Fault | None:
        free = (card for card in self.hand if self.free_from.get(card.subject, 0) <= at)
        fault = next(free, None)
        if fault:
            self.hand.remove(fault)
        return fault

    def _take_of_new_hand(self, at: float) -> Fault | None:
        more = [fault for fault in self.deck if fault.most is None or self.dealt[fault.name] < fault.most]
        self.hand += self.random.sample(more, len(more))
        return self._take(at)


def plan(deck: Sequence[Fault], count: int, seconds: float, random: Random) -> list[Stroke]:
    """So many faults, spread evenly at random times.

    Args:
        deck: The faults that there are.
        count: How many are wanted.
        seconds: How long the run lasts.
        random: Decides; the same one makes the same plan.

    Raises:
        ValueError: There are too many of them for so little time.
    """
    dealer = _Dealer(deck, random)
    times = sorted(random.uniform(0, seconds) for _ in range(count))
    return [dealer.stroke(at) for at in times]
