"""Measures choices: runs zeros, as warming up does, for a moment each."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from edge_common.background import background
from edge_inference.errors import ModelError, RunFailedError
from edge_inference.model import LoadedModel
from edge_inference.session import Array, Way
from edge_inference.tuning.choice import Choice
from edge_inference.tuning.neighbours import Moment

SLICE_S: Final = 0.03
"""How long a choice is tried at a time; a run that takes longer is waited for."""


class BusyError(Exception):
    """There is work to do, so this is no time to measure."""


class Bench(Protocol):
    """Tries a model's choices."""

    @property
    def quiet(self) -> bool:
        """Whether other processes had little of the processors since it was made."""

    def rate(self, choice: Choice) -> float | None:
        """Samples a second; None where the choice cannot be had.

        Raises:
            BusyError: It is broken off.
        """

    def model(self, way: Way) -> LoadedModel:
        """The model, run in a way that was tried and could be had."""


MakeBench = Callable[[LoadedModel, Callable[[], bool]], Bench]
"""A bench for a model that is to be broken off when this says so."""


class Stopwatch:
    """The bench that is one.

    Args:
        model: What is tried.
        stop: Asked between two runs.
    """

    def __init__(self, model: LoadedModel, stop: Callable[[], bool]) -> None:
        self._begun = Moment.now()
        self._stop = stop
        self._models: dict[Way, LoadedModel | None] = {model.session.way: model}
        self._base = model

    @property
    def quiet(self) -> bool:
        return Moment.now().quiet_since(self._begun)

    def rate(self, choice: Choice) -> float | None:
        model = self._opened(choice.way)
        if model is None:
            return None
        wanted = model.contract.input
        rows = np.zeros((choice.batch, *wanted.sample_shape), wanted.sample_dtype)
        with background("tuning", choice.callers) as threads:
            trials = [threads.submit(self._run, model, rows) for _ in range(choice.callers)]
        try:
            return sum(trial.result() for trial in trials)
        except RunFailedError:
            return None

    def model(self, way: Way) -> LoadedModel:
        model = self._opened(way)
        if model is None:
            raise ValueError(f"{way} was never had")
        return model

    def _opened(self, way: Way) -> LoadedModel | None:
        if way not in self._models:
            try:
                self._models[way] = replace(self._base, session=self._base.session.anew(way))
            except ModelError:
                self._models[way] = None
        return self._models[way]

    def _run(self, model: LoadedModel, rows: Array) -> float:
        """Samples a second, of one caller."""
        begun, done, seconds = time.perf_counter(), 0, 0.0
        while seconds < SLICE_S:
            if self._stop():
                raise BusyError
            model.run(rows)
            done, seconds = done + len(rows), time.perf_counter() - begun
        return done / seconds
