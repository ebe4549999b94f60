"""Finds out how a model is run best, and remembers it."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge_common.clock import Clock
from edge_inference.errors import ModelError, OutOfMemoryError
from edge_inference.model import LoadedModel
from edge_inference.processors import usable
from edge_inference.session import Session, Way
from edge_inference.tuning.book import Book
from edge_inference.tuning.choice import Situation, Tuning, within
from edge_inference.tuning.fingerprint import fingerprint
from edge_inference.tuning.search import search
from edge_inference.tuning.trying import BusyError, MakeBench

log = logging.getLogger(__name__)

SECONDS: Final = 3.0
"""How long it may take."""


class Tuner:
    """Gives models their tuning. Methods block.

    Args:
        book: What is known.
        clock: For stamps.
        bench: What measures.
    """

    def __init__(self, book: Book, clock: Clock, bench: MakeBench) -> None:
        self._book = book
        self._clock = clock
        self._bench = bench

    def fit(self, model: LoadedModel, *, room: int) -> LoadedModel:
        """The model as it is known to run best; as it is, where nothing is known, or it cannot be loaded for that.

        Args:
            model: Just loaded.
            room: How many times more there is the memory to load it.
        """
        tuning = self._book.find(model.identity.digest, fingerprint(model.session, model.plan))
        way = tuning.choice.way if tuning else Way(model.plan.threads or 1)
        if model.session.way == way:
            return replace(model, tuning=tuning)
        try:
            return replace(model, session=_anew(model, way, room), tuning=tuning)
        except ModelError as error:
            log.warning("%s is not run by %s: %s", model.identity.digest, way, error)
            return model

    def tune(self, model: LoadedModel, *, room: int, stop: Callable[[], bool]) -> LoadedModel:
        """Measure, unless that was done; the model as it turned out to run best.

        Args:
            model: Warm.
            room: How many times more there is the memory to load it.
            stop: Says when there is other work.

        Returns:
            The model as it was, too, if there was other work, or others kept the processors busy.
        """
        if model.tuning:
            return model
        bench = self._bench(model, stop)
        grid = within(_situation(model).grid, model.session.way, room)
        try:
            found = search(grid, bench.rate, SECONDS, time.monotonic)
        except BusyError:
            return model
        if found is None or not bench.quiet:
            log.info("%s is not tuned: the processors were busy", model.identity.digest)
            return model
        tuning = Tuning(*found, self._clock.now().isoformat(timespec="seconds"))
        log.info("%s is tuned: %s", model.identity.digest, tuning.reported())
        self._book.enter(model.identity.digest, fingerprint(model.session, model.plan), tuning)
        return replace(bench.model(tuning.choice.way), tuning=tuning)


def _anew(model: LoadedModel, way: Way, room: int) -> Session:
    if not room:
        raise OutOfMemoryError("there is not the memory to load it once more")
    return model.session.anew(way)


def _situation(model: LoadedModel) -> Situation:
    wanted = model.contract.input
    single = model.session.inputs[wanted.name].shape[0] == 1
    return Situation(usable(), model.on_gpu, 1 if single else wanted.batch, model.plan.threads)
