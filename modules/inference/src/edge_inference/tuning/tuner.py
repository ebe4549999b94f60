"""Finds out how a model is run best, and remembers it."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from edge_common.clock import Clock
from edge_inference.model import LoadedModel
from edge_inference.processors import usable
from edge_inference.session import Way
from edge_inference.tuning.book import Book
from edge_inference.tuning.choice import Situation, Tuning
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

    def fit(self, model: LoadedModel) -> LoadedModel:
        """The model as it is known to run best; as it is, where nothing is known.

        Raises:
            LoadFailedError: It has to be loaded once more for that, and cannot be.
            OutOfMemoryError: Likewise.
        """
        tuning = self._book.find(model.identity.digest, fingerprint(model.session, model.plan))
        way = tuning.choice.way if tuning else Way(model.plan.threads or 1)
        session = model.session if model.session.way == way else model.session.anew(way)
        return replace(model, session=session, tuning=tuning)

    def tune(self, model: LoadedModel, *, room: bool, stop: Callable[[], bool]) -> LoadedModel:
        """Measure, unless that was done; the model as it turned out to run best.

        Args:
            model: Warm.
            room: Whether there is the memory to load it once more.
            stop: Says when there is other work.

        Returns:
            The model as it was, too, if there was other work, or others kept the processors busy.
        """
        if model.tuning:
            return model
        bench = self._bench(model, stop)
        grid = [choice for choice in _situation(model).grid if room or choice.way == model.session.way]
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


def _situation(model: LoadedModel) -> Situation:
    wanted = model.contract.input
    single = model.session.inputs[wanted.name].shape[0] == 1
    return Situation(usable(), model.on_gpu, 1 if single else wanted.batch, model.plan.threads)
