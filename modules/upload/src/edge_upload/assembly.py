"""How an item is put together from its parts. Pure: no I/O.

An item may come in several parts, in any order and more than once, and ingest may send it anew while parts of an
earlier attempt are still on their way. It is assembled from the parts of one attempt only; the first attempt that is
whole wins, and nothing is stored of it twice.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Verdict(Enum):
    """What is to be done with a part that has arrived."""

    KNOWN = auto()
    """Its item is whole already, by this attempt or by another. Nothing is stored."""
    HELD = auto()
    """This very part is here already. Nothing is stored."""
    CONTRADICTION = auto()
    """It cannot belong to the parts that are here: there is another last part. Nothing is stored."""
    PART = auto()
    """It is new, and others are missing."""
    COMPLETES = auto()
    """It is new, and with it the item is whole. What there is of other attempts can go."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What has arrived of one attempt.

    Attributes:
        held: How many different parts.
        highest: The highest of their numbers; -1 before any.
        last: The number of the last part, once it has arrived.
    """

    held: int = 0
    highest: int = -1
    last: int | None = None

    @property
    def whole(self) -> bool:
        """Whether no part is missing."""
        return self.last is not None and self.held == self.last + 1

    def allows(self, part: int, *, last: bool) -> bool:
        """Whether a part that is not held can belong to those that are."""
        if self.last is not None:
            return part < self.last and not last
        return part > self.highest or not last

    def with_part(self, part: int, *, last: bool) -> "Attempt":
        """The same, and one part more."""
        return Attempt(self.held + 1, max(self.highest, part), part if last else self.last)


def judge(attempt: Attempt, part: int, *, last: bool, known: bool, held: bool) -> Verdict:
    """What to do with a part.

    Args:
        attempt: What has arrived of the part's attempt before it.
        part: Its number, from 0.
        last: Whether it is marked as the last.
        known: Whether its item is whole already, by whichever attempt.
        held: Whether this very part of this attempt is here.
    """
    if known:
        return Verdict.KNOWN
    if held:
        return Verdict.HELD
    if not attempt.allows(part, last=last):
        return Verdict.CONTRADICTION
    return Verdict.COMPLETES if attempt.with_part(part, last=last).whole else Verdict.PART
