"""From a batch to predictions and rejects. Pure; one bad item harms no other."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from edge_common.errors import BatchGoneError, BatchTornError, ItemError, TensorStoreError
from edge_common.messages import Part, PredictedPart, Reject
from edge_inference.batching.runs import Ask, Asking, alone
from edge_inference.errors import RunFailedError
from edge_inference.model import LoadedModel, all_finite
from edge_inference.outputs.kind import Values
from edge_inference.session import Array

STAGE: Final = "inference"
RUN_FAILED: Final = "RUN_FAILED"
BAD_OUTPUT: Final = "BAD_OUTPUT"
_MOST_MESSAGE: Final = 2000
_STORE_CODES: Final = {BatchGoneError: "BATCH_GONE", BatchTornError: "BATCH_TORN"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a batch's parts: each is in one of the two.

    Attributes:
        predicted: The parts that have predictions.
        rejects: The verdicts on the others.
        samples: The batch as it was read, for who wants to run it again; None where the model never saw it.
    """

    predicted: Sequence[PredictedPart] = ()
    rejects: Sequence[Reject] = ()
    samples: Array | None = None

    @property
    def failures(self) -> int:
        """The parts that the model, and nothing before it, failed on."""
        return sum(verdict.code in {RUN_FAILED, BAD_OUTPUT} for verdict in self.rejects)


def answer(model: LoadedModel, read: Callable[[], Array], parts: Sequence[Part]) -> Answer:
    """Run a batch by itself; see :func:`answering`."""
    return alone(model, partial(answering, read=read, parts=parts))


def answering(model: LoadedModel, read: Callable[[], Array], parts: Sequence[Part]) -> Asking[Answer]:
    """Answer a batch, by what the runs give that are asked for.

    Args:
        model: The model whose stamp the batch bears.
        read: Gives the batch: of shape ``(rows, *sample)``.
        parts: Whose rows it holds.
    """
    try:
        rows = read()
        _check(model, rows, parts)
    except TensorStoreError as error:
        return reject(parts, ItemError(_STORE_CODES[type(error)], str(error), can_retry=error.retryable))
    except ItemError as error:
        return reject(parts, error)
    try:
        values = yield from _ask(model, rows)
    except RunFailedError:
        return (yield from _answer_each_alone(model, rows, parts))
    return _merge(rows, (_judge(model, part, _rows_of(part, values)) for part in parts))


def reject(parts: Iterable[Part], error: ItemError) -> Answer:
    """The same verdict for every part."""
    return Answer(rejects=[_rejected(part, error) for part in parts])


def _check(model: LoadedModel, rows: Array, parts: Sequence[Part]) -> None:
    wanted = model.contract.input
    if rows.dtype != wanted.sample_dtype or rows.shape[1:] != wanted.sample_shape:
        raise ItemError(
            "CONTRACT_MISMATCH",
            f"the batch is {rows.dtype} of shape {rows.shape}; "
            f"{wanted.sample_dtype} (rows, *{wanted.sample_shape}) is wanted",
        )
    if any(part.first + part.rows > len(rows) for part in parts):
        raise ItemError("CONTRACT_MISMATCH", f"parts reach past the batch's {len(rows)} rows")


def _ask(model: LoadedModel, rows: Array) -> Asking[Values]:
    """What the contract reads of a run of these rows."""
    values = yield Ask(rows, model.interpreter.names)
    model.check(values, len(rows))
    return values


def _answer_each_alone(model: LoadedModel, rows: Array, parts: Sequence[Part]) -> Asking[Answer]:
    answers: list[Answer] = []
    for part in parts:
        given = yield from _answer_alone(model, rows, part)
        answers.append(given)
    return _merge(rows, answers)


def _answer_alone(model: LoadedModel, rows: Array, part: Part) -> Asking[Answer]:
    """Run one part by itself, to find whose samples make a run fail."""
    try:
        values = yield from _ask(model, rows[part.first : part.first + part.rows])
    except RunFailedError as error:
        return reject([part], ItemError(RUN_FAILED, str(error)))
    return _judge(model, part, values)


def _rows_of(part: Part, values: Values) -> Values:
    return {name: array[part.first : part.first + part.rows] for name, array in values.items()}


def _judge(model: LoadedModel, part: Part, values: Values) -> Answer:
    if not all_finite(values):
        return reject([part], ItemError(BAD_OUTPUT, "the model gave NaN or infinity"))
    predictions = tuple(model.interpret(values, part.each_frame))
    return Answer(predicted=[PredictedPart(**{**dict(part), "frames": (), "predictions": predictions})])


def _merge(samples: Array, answers: Iterable[Answer]) -> Answer:
    every = list(answers)
    return Answer(
        [part for each in every for part in each.predicted],
        [verdict for each in every for verdict in each.rejects],
        samples,
    )


def _rejected(part: Part, error: ItemError) -> Reject:
    item = part.item
    return Reject(
        id=item.id,
        attempt=item.attempt,
        stage=STAGE,
        code=error.code,
        message=str(error)[:_MOST_MESSAGE],
        retryable=error.can_retry,
    )
