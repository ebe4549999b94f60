"""What is seen of a candidate in live traffic: in Shadow, beside the active model; in Baking, as the active one."""

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from edge_inference.answers import Answer, answer
from edge_inference.desired import Gate
from edge_inference.gates import FEWEST_RUNS, check_agreement, check_errors, check_latency
from edge_inference.model import LoadedModel

_NICENESS: Final = 10


def background(name: str) -> ThreadPoolExecutor:
    """One thread that gives way to those that serve."""
    return ThreadPoolExecutor(1, name, initializer=_give_way)


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)  # Linux: of this thread alone


@dataclass
class Trial:
    """Numbers about one candidate.

    Attributes:
        candidate: The model on trial.
        beside: What runs on the batches that the serving model answered, to be compared; None compares nothing.
        baseline: Seconds a sample of the model before it.
        items: What the candidate ran on.
        errors: Those that it failed on.
        compared: Samples that both models answered.
        agreed: Those that they answered alike.
    """

    candidate: LoadedModel
    beside: LoadedModel | None
    baseline: Sequence[float] = ()
    items: int = 0
    errors: int = 0
    compared: int = 0
    agreed: int = 0

    @property
    def conclusive(self) -> bool:
        """Whether so much was seen that a bad candidate need not go on."""
        return self.items >= FEWEST_RUNS

    def judge(self, gate: Gate) -> None:
        """Hold the numbers against the gate.

        Raises:
            ErrorRateError: It failed too often.
            DisagreementError: It differed too often.
            LatencyError: It is too slow.
        """
        check_errors(self.errors, self.items, gate.max_error_rate)
        check_agreement(self.agreed, self.compared, gate.min_agreement)
        check_latency(self.candidate.pace, self.baseline, gate.p95_ratio)

    def count(self, given: Answer) -> None:
        """The candidate has answered."""
        self.items += len(given.predicted) + given.failures
        self.errors += given.failures

    def compare(self, served: Answer, other: Answer) -> None:
        """Both models have answered one batch."""
        agree = self.candidate.interpreter.agree
        theirs = {part.first: part.predictions for part in other.predicted}
        for part in served.predicted:
            pairs = zip(part.predictions, theirs.get(part.first, ()), strict=False)
            verdicts = [agree(*pair) for pair in pairs]
            self.compared += len(verdicts)
            self.agreed += sum(verdicts)


class Watch:
    """Sees every batch that was answered. Used on the event loop only; what runs beside, runs in a thread of its own.

    Attributes:
        trial: The candidate that is watched now.
    """

    def __init__(self) -> None:
        self.trial: Trial | None = None
        self._thread = background("shadow")
        self._beside: asyncio.Future[Answer] | None = None

    def answered(self, model: LoadedModel, given: Answer, seconds: float) -> None:
        """A model has answered a batch; never waits.

        Args:
            model: The model.
            given: Its answer.
            seconds: What that took.
        """
        if given.samples is None:
            return
        model.pace.append(seconds / len(given.samples))
        if self.trial:
            self._observe(self.trial, model, given)

    def close(self) -> None:
        """Wait for what the thread has in hand."""
        self._thread.shutdown(cancel_futures=True)

    def _observe(self, trial: Trial, model: LoadedModel, given: Answer) -> None:
        if model is trial.candidate:
            trial.count(given)
        beside, busy = trial.beside, self._beside is not None
        if beside is None or beside is model or beside.stamp != model.stamp or busy or not given.predicted:
            return
        work = asyncio.get_running_loop().run_in_executor(self._thread, _answer_too, beside, given)
        self._beside = work
        work.add_done_callback(lambda done: self._compare(trial, given, done))

    def _compare(self, trial: Trial, served: Answer, done: asyncio.Future[Answer]) -> None:
        self._beside = None
        if done.cancelled():
            return
        other = done.result()
        if trial.beside is trial.candidate:
            trial.count(other)
        trial.compare(served, other)


def _answer_too(beside: LoadedModel, given: Answer) -> Answer:
    samples = given.samples
    return answer(beside, lambda: samples, given.predicted) if samples is not None else Answer()
