"""The spool's way in: results become durable here.

One transaction, and so one fsync, for all that arrived together. All methods block; they are called on one thread.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from edge_common.errors import ItemError
from edge_common.messages import Receipt, ReceiptStatus, Reject
from edge_upload.assembly import Attempt, Verdict, judge
from edge_upload.database import Database
from edge_upload.features import FeatureReader, Rows, raw, tensor_type
from edge_upload.history.events import Events
from edge_upload.index import Index
from edge_upload.records import TENSORS, Arrival, Layout, Record, columns_of
from edge_upload.room import Limits, Room

log = logging.getLogger(__name__)

STAGE: Final = "upload"

PART_OVERHEAD: Final = 300
"""Bytes that a part takes in the database beside its record and features."""

Answer = Receipt | Reject


@dataclass(frozen=True, slots=True)
class _Contents:
    """What is to be written of a part."""

    record: str
    layout: Layout
    features: Rows | None

    @property
    def size(self) -> int:
        return PART_OVERHEAD + len(self.record) + (0 if self.features is None else self.features.nbytes)


class Spool:
    """Stores parts.

    Args:
        database: Where they are kept.
        index: Knows what is there.
        features: Reads their features.
        events: Where it is written down what was accepted.
    """

    def __init__(self, database: Database, index: Index, features: FeatureReader, events: Events) -> None:
        self._database = database
        self._index = index
        self._features = features
        self._events = events

    def store(self, arrivals: Iterable[Arrival], limits: Limits, now: datetime, *, features: bool) -> list[Answer]:
        """Store what is new of parts that have arrived; it is durable when this returns.

        Args:
            arrivals: The parts.
            limits: What the spool may take.
            now: Stored with them.
            features: Whether predictions are stored with their features.

        Returns:
            An answer to each part but those that contradict what is here.

        Raises:
            SpoolUnavailableError: The disk refuses; nothing is stored.
        """
        try:
            with self._database.transaction():
                room = Room(limits, self._index.used())
                answers = [self._answer(arrival, room, now, features=features) for arrival in arrivals]
        finally:
            self._features.forget()
        return [answer for answer in answers if answer is not None]

    def _answer(self, arrival: Arrival, room: Room, now: datetime, *, features: bool) -> Answer | None:
        try:
            return self._take(arrival, room, now, features=features)
        except ItemError as error:
            return refusal(arrival, error)

    def _take(self, arrival: Arrival, room: Room, now: datetime, *, features: bool) -> Receipt | None:
        record, item = arrival.record, arrival.record.item
        known = self._index.known(item.id)
        attempt = known.attempts.get(item.attempt)
        verdict = judge(
            attempt or Attempt(),
            record.part,
            last=arrival.last,
            known=known.status is not None,
            held=attempt is not None and self._index.holds(item.id, item.attempt, record.part),
        )
        match verdict:
            case Verdict.KNOWN:
                return self._index.receipt(item, known, record.part)
            case Verdict.HELD:
                return receipt(arrival, ReceiptStatus.PART)
            case Verdict.CONTRADICTION:
                log.warning("part %s of item %s contradicts the parts before it; it is ignored", record.part, item.id)
                return None
        contents = self._contents(arrival, features=features)
        if not room.take(contents.size):
            return receipt(arrival, ReceiptStatus.DEFERRED)
        grown = (attempt or Attempt()).with_part(record.part, last=arrival.last)
        self._write(record, contents, grown, now)
        if grown.whole:
            self._events.accepted(record, now)
        if grown.whole and len(known.attempts) > (attempt is not None):
            self._index.drop_others(item)
        return receipt(arrival, ReceiptStatus.ACCEPTED if grown.whole else ReceiptStatus.PART)

    def _contents(self, arrival: Arrival, *, features: bool) -> _Contents:
        wanted = features or arrival.record.kind == TENSORS
        rows = self._features.read(arrival) if wanted else None
        layout = Layout(columns=columns_of(arrival.record), features=None if rows is None else tensor_type(rows))
        return _Contents(arrival.record.model_dump_json(exclude_none=True), layout, rows)

    def _write(self, record: Record, contents: _Contents, attempt: Attempt, now: datetime) -> None:
        item = self._index.note(record.item, attempt, _digest(record), now)
        number = self._database.execute(
            "INSERT INTO parts (item, part, date, layout, rows, bytes, stored, ready) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                item,
                record.part,
                record.item.date.isoformat(),
                self._layout(contents.layout),
                record.rows,
                contents.size,
                now.timestamp(),
                attempt.whole,
            ],
        ).lastrowid
        blob = None if contents.features is None else raw(contents.features)
        self._database.execute("INSERT INTO records VALUES (?, ?, ?)", [number, contents.record, blob])
        if attempt.whole and attempt.held > 1:
            self._database.execute("UPDATE parts SET ready = TRUE WHERE item = ?", [item])

    def _layout(self, layout: Layout) -> int:
        text = layout.model_dump_json()
        found = self._database.execute("SELECT number FROM layouts WHERE layout = ?", [text]).fetchone()
        if found:
            return int(found[0])
        return self._database.execute("INSERT INTO layouts (layout) VALUES (?)", [text]).lastrowid or 0


def receipt(arrival: Arrival, status: ReceiptStatus) -> Receipt:
    """A receipt for a part."""
    record = arrival.record
    model = _digest(record) if status is ReceiptStatus.ACCEPTED else None
    return Receipt(id=record.item.id, attempt=record.item.attempt, part=record.part, status=status, model=model)


def refusal(arrival: Arrival, error: ItemError) -> Reject:
    """A reject of the item that a part is of."""
    return Reject(
        id=arrival.record.item.id,
        attempt=arrival.record.item.attempt,
        stage=STAGE,
        code=error.code,
        message=str(error),
        retryable=error.can_retry,
    )


def _digest(record: Record) -> str | None:
    return record.model.digest if record.model else None
