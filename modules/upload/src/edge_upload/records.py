"""What upload stores: rows of one item, and how their columns are laid out. Pure: no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from edge_common.errors import EdgeError, ItemError
from edge_common.hub import Received
from edge_common.messages import Item, ItemId, Mark, ModelIdentity, Part, PredictionsMessage, TensorsMessage
from edge_upload.columns import common_type

TENSORS: Final = "tensors"
"""The kind of what is stored without predictions, and of the messages that bring it."""


class _Kept(BaseModel):
    """Kept on disk as JSON; the release before and the one after read it too, so fields are only ever added."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Record(_Kept):
    """One part of one item.

    Attributes:
        item: The item, as ingest saw it.
        part: The part's number, from 0.
        rows: How many rows it has.
        kind: The predictions' kind, such as ``classification``; ``tensors`` where there are none.
        stamp: The contract that the rows were prepared under.
        model: Which model made the predictions.
        predictions: One mapping of column to value for each row; none at all where the kind is ``tensors``.
    """

    item: Item
    part: int
    rows: int
    kind: str
    stamp: str
    model: ModelIdentity | None = None
    predictions: tuple[Mapping[str, Any], ...] = ()


class TensorType(_Kept):
    """One row of features: NumPy's name of the type, and the shape."""

    dtype: str
    shape: tuple[int, ...]


class Layout(_Kept):
    """The columns that records need; those with the same layout can share a shard.

    Attributes:
        columns: Name and type (see ``columns``) of the predictions' columns, sorted by name.
        features: What a row of features is, where they are stored.
    """

    columns: tuple[tuple[str, str], ...] = ()
    features: TensorType | None = None


@dataclass(frozen=True, slots=True)
class Arrival:
    """A part that has come to be stored.

    Attributes:
        record: What is to be stored of it.
        last: Whether its item has no further parts.
        batch: Where its features are, in the tensor store.
        first: The first of its rows there.
        marks: What makes its item worth sampling, as the inference module says.
    """

    record: Record
    last: bool
    batch: str
    first: int
    marks: tuple[Mark, ...] = ()


class BadPartError(EdgeError):
    """A part that is in the spool cannot be stored.

    Attributes:
        number: The part's, in the spool.
    """

    def __init__(self, number: int, item: ItemId, reason: str) -> None:
        super().__init__(f"item {item}: {reason}")
        self.number = number


def read_record(number: int, item: ItemId, text: str) -> Record:
    """A record, as it was kept.

    Args:
        number: Its part's, in the spool.
        item: Its item's id.
        text: JSON.

    Raises:
        BadPartError: It is damaged.
    """
    try:
        return Record.model_validate_json(text)
    except ValidationError as error:
        raise BadPartError(number, item, f"what was kept of it is damaged ({error.error_count()} errors)") from error


def arrivals(message: Received) -> list[Arrival]:
    """The parts that a message brings.

    Raises:
        MalformedMessageError: It is neither of predictions nor, where its property ``kind`` says so, of tensors.
    """
    if message.properties.get("kind") == TENSORS:
        tensors = TensorsMessage.decode(message.body)
        return [
            _arrival(part, tensors.batch, _record(part, kind=TENSORS, stamp=tensors.stamp)) for part in tensors.parts
        ]
    body = PredictionsMessage.decode(message.body)
    about = {"kind": body.kind, "stamp": body.stamp, "model": body.model}
    return [
        _arrival(part, body.batch, _record(part, **about, predictions=part.predictions), part.marks)
        for part in body.parts
    ]


def _record(part: Part, **about: Any) -> Record:
    return Record(item=part.item, part=part.part, rows=part.rows, **about)


def _arrival(part: Part, batch: str, record: Record, marks: tuple[Mark, ...] = ()) -> Arrival:
    return Arrival(record, part.last, batch, part.first, marks)


def digest_of(record: Record) -> str | None:
    """The digest of the model that made a record's predictions."""
    return record.model.digest if record.model else None


def columns_of(record: Record) -> tuple[tuple[str, str], ...]:
    """The columns that a record's predictions need.

    Raises:
        ItemError: Its predictions are not one for each row.
    """
    if record.kind == TENSORS:
        return ()
    if len(record.predictions) != record.rows:
        raise ItemError("BAD_PREDICTIONS", f"{len(record.predictions)} predictions came for {record.rows} rows")
    return tuple(_columns(record.predictions))


def _columns(predictions: tuple[Mapping[str, Any], ...]) -> Iterator[tuple[str, str]]:
    for name in sorted({name for prediction in predictions for name in prediction}):
        yield name, common_type(prediction.get(name) for prediction in predictions)
