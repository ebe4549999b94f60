"""What is aimed at, and whether it is reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

NOTE: Final = """\
Why those are missed that are, by which profile, and what was tried: [performance](../../docs/performance.md)."""


@dataclass(frozen=True)
class Goal:
    """A figure that is to reach a bound.

    Attributes:
        figure: What it is, with its unit.
        reached: What was measured.
        bound: What is aimed at.
        least: Whether that is the least that will do, or else the most.
    """

    figure: str
    reached: float
    bound: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether it is reached."""
        return self.reached >= self.bound if self.least else self.reached <= self.bound


def markdown(goals: Sequence[Goal]) -> str:
    """A section of a page; nothing where there are no goals."""
    if not goals:
        return ""
    lines = ["| goal | wanted | reached | |", "| --- | ---: | ---: | --- |"]
    lines += [
        f"| {goal.figure} | {'≥' if goal.least else '≤'} {goal.bound:.4g} | {goal.reached:.4g} | {_verdict(goal)} |"
        for goal in goals
    ]
    return "\n\n".join(["## Goals", "\n".join(lines), NOTE]) + "\n"


def _verdict(goal: Goal) -> str:
    return "met" if goal.met else "**missed**"
