"""Has work done on the model in threads, several pieces in a run where that is faster."""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any, Final

from edge_common.clock import Clock
from edge_common.errors import ItemError
from edge_inference.batching.policy import Limits, take, wait
from edge_inference.batching.runs import Doing, T, Work, together
from edge_inference.batching.turns import Source, Turns, Waiting
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel

MOST_CALLERS: Final = 256

TOO_LATE: Final = "TOO_LATE"

Pick = Callable[[], LoadedModel]
"""The model for a piece of work, when its turn has come; raises ItemError where there is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """A piece of work, and who waits for it."""

    pick: Pick
    work: Work[Any]
    future: "asyncio.Future[Any]"


class Batcher:
    """Used on one event loop.

    Args:
        limits: Says what the device takes now; asked before every run.
        clock: For ages and durations.
        measures: Counted into.

    Attributes:
        arrivals: How many pieces of work have come.
        last: When there was work last, in monotonic seconds.
    """

    def __init__(self, limits: Callable[[], Limits], clock: Clock, measures: Measures) -> None:
        self._limits = limits
        self._clock = clock
        self._measures = measures
        self._threads = ThreadPoolExecutor(MOST_CALLERS, thread_name_prefix="caller")
        self._lock = Lock()
        self._turns = Turns[Job]()
        self._running = 0
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None
        self.arrivals = 0
        self.last = -math.inf

    async def do(
        self, source: Source, rows: int, pick: Pick, work: Work[T], patience: float = math.inf
    ) -> tuple[LoadedModel, T, float]:
        """Do a piece of work in its turn: the model that did it, its result, and its share of the seconds of the runs.

        Args:
            source: Who wants it.
            rows: About how many samples it has.
            pick: Says which model is to do it.
            work: What is to be done; what it raises, this raises.
            patience: Seconds after which it is not to be begun any more.

        Raises:
            ItemError: No model can do it, or it is too late.
        """
        loop = asyncio.get_running_loop()
        job, now = Job(pick, work, loop.create_future()), self._clock.monotonic()
        self.arrivals += 1
        with self._lock:
            self._turns.put(Waiting(source, rows, now, now + patience, job))
        self._begin(loop)
        model, doing, seconds = await job.future
        return model, doing.result, seconds

    def close(self) -> None:
        """Begin no more runs, and wait for those under way. Blocks."""
        with self._lock:
            self._closed = True
        self._threads.shutdown()

    @property
    def busy(self) -> bool:
        """Whether there is anything to do."""
        return bool(self._running or self._turns)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the runs whose time has come, and come back for the others."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        with self._lock:
            while (seconds := self._wait()) == 0.0:
                if run := self._next(loop):
                    self._running += 1
                    self._threads.submit(self._work, loop, run)
        if seconds is not None:
            self._timer = loop.call_later(seconds, self._begin, loop)

    def _work(self, loop: asyncio.AbstractEventLoop, run: "Run | None") -> None:
        """Do a run, and then what is due next, so that no thread waits for the event loop."""
        while run:
            self._do(loop, run)
            with self._lock:
                self._running -= 1
                self.last = self._clock.monotonic()
                run = None
                while self._wait() == 0.0 and run is None:
                    run = self._next(loop)
                self._running += run is not None
        if self._turns:
            loop.call_soon_threadsafe(self._begin, loop)

    def _do(self, loop: asyncio.AbstractEventLoop, run: "Run") -> None:
        rows, started = sum(each.rows for each in run.waiting), self._clock.monotonic()
        jobs = [each.work for each in run.waiting]
        try:
            done: Sequence[Doing[Any]] = together(run.model, [job.work for job in jobs], run.batch)
        except Exception as error:  # noqa: BLE001 - not foreseen, and for who waits
            for job in jobs:
                loop.call_soon_threadsafe(_fail, job.future, error)
            return
        seconds = self._clock.monotonic() - started
        self._measures.shared.observe(len(jobs))
        for each, doing in zip(run.waiting, done, strict=True):
            share = seconds * each.rows / rows
            loop.call_soon_threadsafe(_settle, each.work.future, (run.model, doing, share))

    def _wait(self) -> float | None:
        return None if self._closed else wait(self._turns, self._running, self._limits(), self._clock.monotonic())

    def _next(self, loop: asyncio.AbstractEventLoop) -> "Run | None":
        """What is next; None where it came to nothing. No run has more samples than the model was warmed up with."""
        first = self._turns.pop()
        job = first.work
        if job.future.cancelled():
            return None
        now = self._clock.monotonic()
        try:
            if first.until < now:
                self._measures.shed.inc()
                raise ItemError(TOO_LATE, "its turn has not come in time", can_retry=True)
            model = job.pick()
        except ItemError as error:
            loop.call_soon_threadsafe(_fail, job.future, error)
            return None
        batch = min(self._limits().batch, model.contract.input.batch)
        return Run(model, take(self._turns, first, batch, partial(_joins, model, now)), batch)


@dataclass(frozen=True, slots=True)
class Run:
    """What is done together."""

    model: LoadedModel
    waiting: Sequence[Waiting[Job]]
    batch: int


def _joins(model: LoadedModel, now: float, waiting: Waiting[Job]) -> bool:
    """Whether work can share a run of this model; nobody waits for what is cancelled, or come too late."""
    job = waiting.work
    try:
        return not job.future.cancelled() and waiting.until >= now and job.pick() is model
    except ItemError:
        return False


def _settle(future: "asyncio.Future[Any]", result: Any) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
