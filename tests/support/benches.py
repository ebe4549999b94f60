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

    def rate(self, choice: Choice) -> float:
        return float(choice.batch * choice.callers)

    def model(self, way: Way) -> LoadedModel:
        return replace(self._model, session=self._model.session.anew(way))
