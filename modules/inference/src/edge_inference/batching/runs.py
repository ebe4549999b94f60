"""Work that asks for runs of a model, and how several share them.

Work is a generator: it yields what it wants to have run and gets the values, or the error of that run; so it may ask
again. Whatever it returns or raises is its result.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from edge_inference.errors import RunFailedError
from edge_inference.model import LoadedModel, check_rows
from edge_inference.outputs.kind import Values
from edge_inference.session import Array

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ask:
    """A run.

    Attributes:
        rows: Float32 of shape ``(rows, *sample)``.
        outputs: What is wanted of it, by name.
    """

    rows: Array
    outputs: Sequence[str]


Asking = Generator[Ask, Values, T]
Work = Callable[[LoadedModel], Asking[T]]
"""Begins when it is known which model is to do it."""


class Doing(Generic[T]):
    """Work under way.

    Args:
        asking: The work.

    Attributes:
        ask: What it waits for; None once it has ended.
        error: What it raised.
    """

    def __init__(self, asking: Asking[T]) -> None:
        self._asking = asking
        self._result: T | None = None
        self.ask: Ask | None = None
        self.error: Exception | None = None
        self._go_on(lambda: next(asking))

    @property
    def result(self) -> T:
        """What it returned.

        Raises:
            Exception: What it raised.
        """
        if self.error:
            raise self.error
        return self._result  # type: ignore[return-value] # it has ended

    def give(self, values: Values) -> None:
        """The run has given this."""
        self._go_on(lambda: self._asking.send(values))

    def fail(self, error: RunFailedError) -> None:
        """The run has failed."""
        self._go_on(lambda: self._asking.throw(error))

    def _go_on(self, step: Callable[[], Ask]) -> None:
        self.ask = None
        try:
            self.ask = step()
        except StopIteration as end:
            self._result = end.value
        except Exception as error:  # noqa: BLE001 - it is the work's own, and goes to who waits for it
            self.error = error


def alone(model: LoadedModel, work: Work[T]) -> T:
    """Do one piece of work, in runs as large as it asks for."""
    [done] = together(model, [work], 0)
    return done.result


def together(model: LoadedModel, works: Sequence[Work[T]], batch: int) -> Sequence[Doing[T]]:
    """Do work in runs that are shared where that is possible.

    Args:
        model: Does it.
        works: What is to be done.
        batch: The most samples of a run; 0 runs all as it is asked for.
    """
    doing = [Doing(work(model)) for work in works]
    while asking := [each for each in doing if each.ask]:
        for group in _groups(model, asking, batch):
            _run(model, group, batch)
    return doing


def _groups(model: LoadedModel, asking: Sequence[Doing[T]], batch: int) -> Iterator[Sequence[Doing[T]]]:
    """What can share a run; work whose outputs are not by rows has its own."""
    joint = [each for each in asking if each.ask and _by_rows(model, each.ask.outputs)] if batch else []
    if joint:
        yield joint
    yield from ([each] for each in asking if each not in joint)


def _run(model: LoadedModel, group: Sequence[Doing[T]], batch: int) -> None:
    asks = [each.ask for each in group if each.ask]
    try:
        answers = _answers(model, asks, batch)
    except RunFailedError as error:
        if len(group) == 1:
            group[0].fail(error)
        else:
            for each in group:
                _run(model, [each], batch)
    else:
        for each, values in zip(group, answers, strict=True):
            each.give(values)


def _answers(model: LoadedModel, asks: Sequence[Ask], batch: int) -> Sequence[Values]:
    """What each of some runs gives.

    Raises:
        RunFailedError: A run failed, or its outputs do not have a row for each sample though others share it.
    """
    if len(asks) == 1 and (not batch or len(asks[0].rows) <= batch or not _by_rows(model, asks[0].outputs)):
        return [model.compute(asks[0].rows, asks[0].outputs)]
    rows = asks[0].rows if len(asks) == 1 else np.concatenate([ask.rows for ask in asks])
    outputs = [*dict.fromkeys(name for ask in asks for name in ask.outputs)]
    pieces = [_exact(model, rows[first : first + batch], outputs) for first in range(0, len(rows), batch)]
    values = pieces[0] if len(pieces) == 1 else _joined(pieces)
    return [{name: values[name][part] for name in ask.outputs} for ask, part in zip(asks, _parts(asks), strict=True)]


def _joined(pieces: Sequence[Values]) -> Values:
    try:
        return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    except ValueError as error:  # arrays of various shapes
        raise RunFailedError(str(error)) from error


def _exact(model: LoadedModel, rows: Array, outputs: Sequence[str]) -> Values:
    values = model.compute(rows, outputs)
    check_rows(values, len(rows))
    return values


def _parts(asks: Sequence[Ask]) -> Iterator[slice]:
    first = 0
    for ask in asks:
        yield slice(first, first + len(ask.rows))
        first += len(ask.rows)


def _by_rows(model: LoadedModel, outputs: Sequence[str]) -> bool:
    """Whether these outputs have a row for each sample: the contract says so, or the graph does."""
    batch = model.session.inputs[model.contract.input.name].shape[0]
    shapes = {name: model.session.outputs[name].shape for name in outputs if name not in model.interpreter.names}
    return all(batch is not None and shape[:1] == (batch,) for shape in shapes.values())
