"""A way to run a model, and those that are worth a try. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from edge_inference.session import ONE_THREAD, Way

_STEP: Final = 4
_FEW: Final = _STEP
"""The fewest that are tried together. They share what a run costs beside the graph, which is not measured, so they are
taken before one alone that is as fast."""

_GPU_CALLERS: Final = (1, 2, 4)


@dataclass(frozen=True, slots=True)
class Choice:
    """How runs are cut and what runs at once.

    Attributes:
        batch: The most samples of a run.
        callers: How many runs there are at once.
        way: How each of them is made.
    """

    batch: int
    callers: int
    way: Way = ONE_THREAD


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a measurement came to.

    Attributes:
        choice: The best one.
        rate: Samples a second.
        at: When, in ISO 8601.
    """

    choice: Choice
    rate: float
    at: str

    def reported(self) -> dict[str, Any]:
        """As the reported property has it."""
        choice = self.choice
        return {
            "batch": choice.batch,
            "callers": choice.callers,
            "intraOp": choice.way.threads,
            "ioBinding": choice.way.bound,
            "samplesPerSecond": float(f"{self.rate:.3g}"),
            "at": self.at,
        }


def within(grid: Sequence[Choice], own: Way, room: int) -> Sequence[Choice]:
    """Those choices that can be had in memory at once, the first ones where it ends.

    Args:
        grid: The choices.
        own: The way of the session that is there.
        room: How many more there may be, each of a way of its own.
    """
    ways = [*dict.fromkeys([own, *(choice.way for choice in grid)])][: 1 + room]
    return [choice for choice in grid if choice.way in ways]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a model is to run on.

    Attributes:
        cores: The processors.
        gpu: Whether a GPU runs it.
        most: The most samples that a run may have; 1 where the graph takes no more.
        threads: Of a run, where a setting fixes them; else 0.
    """

    cores: int
    gpu: bool
    most: int
    threads: int = 0

    @property
    def grid(self) -> Sequence[Choice]:
        """The choices, the best first if all are as fast: few samples before one or many, then few threads, callers."""
        found = [
            Choice(batch, callers, way) for batch in self._batches() for callers, way in dict.fromkeys(self._crews())
        ]
        return sorted(found, key=_order)

    def _batches(self) -> Iterator[int]:
        batch = 1
        while batch < self.most:
            yield batch
            batch *= _STEP
        yield self.most

    def _crews(self) -> Iterator[tuple[int, Way]]:
        if self.gpu:
            yield from ((callers, Way(bound=bound)) for bound in (False, True) for callers in _GPU_CALLERS)
            return
        for threads in (self.threads,) if self.threads else (1, 2, self.cores):
            if threads <= self.cores or self.threads:
                yield max(1, self.cores // threads), Way(threads)


def _order(choice: Choice) -> tuple[object, ...]:
    return choice.batch != _FEW, choice.batch, *asdict(choice.way).values(), choice.callers
