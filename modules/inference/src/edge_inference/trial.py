"""What is seen of a candidate in live traffic: in Shadow, beside the active model; in Baking, as the active one."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from edge_common.background import background
from edge_common.messages import Hint, Mark, Part, PredictedPart
from edge_inference.answers import Answer, answer
from edge_inference.desired import Gate
from edge_inference.gates import FEWEST_RUNS, check_agreement, check_errors, check_latency
from edge_inference.hints import Hints
from edge_inference.model import LoadedModel
from edge_inference.pairs import Pair, Pairs
from edge_inference.session import Array
from edge_inference.trials import MOST_SAMPLES

ALIKE: Final = 0.75
"""An item on which two models agree less is worth sampling."""


@dataclass
class Trial:
    """Numbers about one candidate.

    Attributes:
        candidate: The model on trial.
        beside: What runs on the batches that the serving model answered, to be compared; None compares nothing.
        apart: Whether the candidate takes another input, and so answers the same items in batches of its own.
        baseline: Seconds a sample of the model before it.
        items: What the candidate ran on.
        errors: Those that it failed on.
        compared: Samples that both models answered.
        agreed: How many of those they answered alike, each by how far it is so.
    """

    candidate: LoadedModel
    beside: LoadedModel | None = None
    apart: bool = False
    baseline: Sequence[float] = ()
    items: int = 0
    errors: int = 0
    compared: int = 0
    agreed: float = 0
    _pairs: Pairs = field(default_factory=Pairs)

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

    def runs_beside(self, model: LoadedModel) -> LoadedModel | None:
        """What is to run on a batch that this model has answered."""
        return self.beside if self.beside is not model and self.beside and self.beside.stamp == model.stamp else None

    def count(self, given: Answer) -> None:
        """The candidate has answered."""
        self.items += len(given.predicted) + given.failures
        self.errors += given.failures

    def served(self, parts: Iterable[PredictedPart]) -> Sequence[Hint]:
        """The serving model has answered; what both have answered by now and differ on."""
        compared = (part for part in parts if not self.apart or part.part * part.rows < MOST_SAMPLES)
        return [*self._compare(self._pairs.served(compared))]

    def said_beside(self, parts: Iterable[PredictedPart]) -> Sequence[Hint]:
        """The model beside it has."""
        return [*self._compare(self._pairs.beside(parts))]

    def _compare(self, pairs: Iterable[Pair]) -> Iterator[Hint]:
        for served, other in pairs:
            rows = zip(served.predictions, other.predictions, strict=False)
            verdicts = [self.candidate.interpreter.agree(*row) for row in rows]
            self.compared += len(verdicts)
            self.agreed += sum(verdicts)
            if min(verdicts, default=1.0) < ALIKE:
                yield Hint(id=served.item.id, attempt=served.item.attempt, mark=Mark.DISAGREEMENT)


class Watch:
    """Sees every batch that was answered. Used on the event loop only; what runs beside, runs in a thread of its own.

    Args:
        hints: Told of items that the models differ on.

    Attributes:
        trial: The candidate that is watched now.
    """

    def __init__(self, hints: Hints) -> None:
        self.trial: Trial | None = None
        self._hints = hints
        self._thread = background("shadow")
        self._running: asyncio.Future[Answer] | None = None

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
            self._observe(self.trial, model, given, given.samples)

    def try_out(self, read: Callable[[], Array], parts: Sequence[Part]) -> None:
        """A batch was prepared for the candidate alone; it is passed over while another runs. Never waits."""
        if self.trial and self.trial.apart:
            self._run_beside(self.trial, self.trial.candidate, read, parts)

    def close(self) -> None:
        """Wait for what the thread has in hand."""
        self._thread.shutdown(cancel_futures=True)

    def _observe(self, trial: Trial, model: LoadedModel, given: Answer, samples: Array) -> None:
        if model is trial.candidate:
            trial.count(given)
        beside = trial.runs_beside(model) if given.predicted else None
        if trial.apart or (beside and self._run_beside(trial, beside, lambda: samples, given.predicted)):
            self._hints.add(trial.served(given.predicted))

    def _run_beside(self, trial: Trial, model: LoadedModel, read: Callable[[], Array], parts: Sequence[Part]) -> bool:
        if self._running:
            return False

        def ran(done: asyncio.Future[Answer]) -> None:
            self._running = None
            if not done.cancelled():
                self._note(trial, model, done.result())

        self._running = asyncio.get_running_loop().run_in_executor(self._thread, answer, model, read, parts)
        self._running.add_done_callback(ran)
        return True

    def _note(self, trial: Trial, model: LoadedModel, other: Answer) -> None:
        if model is trial.candidate:
            trial.count(other)
        self._hints.add(trial.said_beside(other.predicted))
