"""Benches that take no time."""

from collections.abc import Callable
from dataclasses import replace

from edge_inference.model import LoadedModel
from edge_inference.session import Way
from edge_inference.tuning.choice import Choice


class MoreIsBetter:
    """Finds that a model is run best in large batches by many callers."""

    def __init__(self, model: LoadedModel, _: Callable[[], bool]) -> None:
        self._model = model
        self.quiet = True

    def rate(self, choice: Choice) -> float:
        return 1e6 * choice.batch * choice.callers

    def model(self, way: Way) -> LoadedModel:
        session = self._model.session
        return self._model if session.way == way else replace(self._model, session=session.anew(way))


class Preferring:
    """Makes benches that find the one choice best which the test says.

    Args:
        best: That choice.

    Attributes:
        made: How many benches there were.
        quiet: What they say of the device.
    """

    def __init__(self, best: Choice) -> None:
        self._best = best
        self.made = 0
        self.quiet = True

    def __call__(self, model: LoadedModel, stop: Callable[[], bool]) -> MoreIsBetter:
        self.made += 1
        bench = _Partial(self._best, model, stop)
        bench.quiet = self.quiet
        return bench


class _Partial(MoreIsBetter):
    def __init__(self, best: Choice, model: LoadedModel, stop: Callable[[], bool]) -> None:
        super().__init__(model, stop)
        self._best = best

    def rate(self, choice: Choice) -> float:
        return 2e6 if choice == self._best else 1e6
