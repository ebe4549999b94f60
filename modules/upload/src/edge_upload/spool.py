"""The spool's way in: results become durable here.

One transaction, and so one fsync, for all that arrived together. All methods block; they are called on one thread.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from edge_common.errors import ItemError
from edge_common.messages import ItemId, Receipt, ReceiptStatus
from edge_upload.answers import Answer, receipt, refusal
from edge_upload.assembly import Attempt, Verdict, judge
from edge_upload.database import Database
from edge_upload.features import FeatureReader
from edge_upload.history.events import Events
from edge_upload.index import Index, Known
from edge_upload.records import TENSORS, Arrival, Record, digest_of
from edge_upload.relief import Relief
from edge_upload.room import Limits, Room
from edge_upload.sampler import Sampler
from edge_upload.sampling import Decision, Why, reasons
from edge_upload.settings import UploadSettings
from edge_upload.writer import Row, Writer, rows_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Commit:
    """One transaction.

    Attributes:
        now: Stored with what it stores.
        settings: What it works under.
        room: What it may take.
        known: What is known of items that nothing has become of in it so far.
        whole: The last parts of items that have become whole.
        receipts: What comes of it beside the answers to the parts.
    """

    now: datetime
    settings: UploadSettings
    room: Room
    known: dict[ItemId, Known]
    whole: list[Record] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)


class Spool:
    """Stores parts.

    Args:
        database: Where they are kept.
        index: Knows what is there.
        features: Reads their features.
        writer: Writes them.
        sampler: Says what is kept of an item beside its predictions.
        relief: Makes room.
        events: Where it is written down what was accepted.
    """

    def __init__(
        self,
        database: Database,
        index: Index,
        features: FeatureReader,
        writer: Writer,
        sampler: Sampler,
        relief: Relief,
        events: Events,
    ) -> None:
        self._database = database
        self._index = index
        self._features = features
        self._writer = writer
        self._sampler = sampler
        self._relief = relief
        self._events = events

    def store(
        self, arrivals: Collection[Arrival], limits: Limits, now: datetime, settings: UploadSettings
    ) -> list[Answer]:
        """Store what is new of parts that have arrived; it is durable when this returns.

        Args:
            arrivals: The parts.
            limits: What the spool may take.
            now: Stored with them.
            settings: Say what is stored beside predictions, and what becomes of it where there is no room.

        Returns:
            An answer to each part but those that contradict what is here, and receipts for items that are uploaded
            because what was left of them was given up.

        Raises:
            SpoolUnavailableError: The disk refuses; nothing is stored.
        """
        try:
            with self._database.transaction():
                self._sampler.begin()
                self._writer.begin()
                known = self._index.known({arrival.record.item.id for arrival in arrivals})
                commit = _Commit(now, settings, Room(limits, self._index.used()), known)
                answers = [self._answer(arrival, commit) for arrival in arrivals]
                self._note_whole(commit)
                self._sampler.end()
        finally:
            self._features.forget()
        self._sampler.count()
        return [answer for answer in answers if answer is not None] + commit.receipts

    def _answer(self, arrival: Arrival, commit: _Commit) -> Answer | None:
        try:
            return self._take(arrival, commit)
        except ItemError as error:
            return refusal(arrival, error)

    def _take(self, arrival: Arrival, commit: _Commit) -> Receipt | None:
        record, item = arrival.record, arrival.record.item
        known = commit.known.pop(item.id, None) or self._index.known({item.id})[item.id]
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
        return self._add(arrival, known, commit, whole=verdict is Verdict.COMPLETES)

    def _add(self, arrival: Arrival, known: Known, commit: _Commit, *, whole: bool) -> Receipt:
        decision = self._decide(arrival, known, commit, whole=whole)
        rows = self._rows(arrival, decision)
        if not self._has_room(arrival, sum(row.size for row in rows), commit):
            return receipt(arrival, ReceiptStatus.DEFERRED)
        self._write(arrival, rows, decision, known, commit)
        if not whole:
            return receipt(arrival, ReceiptStatus.PART)
        self._sampler.take(decision, commit.now)
        return receipt(arrival, ReceiptStatus.ACCEPTED)

    def _decide(self, arrival: Arrival, known: Known, commit: _Commit, *, whole: bool) -> Decision:
        """What to keep; features of an item that is not whole are kept until it is known whether they are wanted."""
        record, settings = arrival.record, commit.settings
        before: frozenset[Why] = known.why.get(record.item.attempt, frozenset())
        why = before | reasons(record.item.id, record.predictions, arrival.marks, settings)
        if whole:
            return self._sampler.decide(why, commit.now, settings)
        return Decision(why=why, features=settings.features != "none")

    def _rows(self, arrival: Arrival, decision: Decision) -> list[Row]:
        wanted = decision.features or arrival.record.kind == TENSORS
        features = self._features.read(arrival) if wanted else None
        return list(rows_of(arrival.record, features, original=decision.original))

    def _has_room(self, arrival: Arrival, size: int, commit: _Commit) -> bool:
        room, item = commit.room, arrival.record.item
        if room.take(size):
            return True
        room.check(size, whole=self._index.held(item) + size)
        self._note_whole(commit)
        commit.known.clear()
        self._relief.abandon(item, commit.now)
        room.used = self._index.used()
        if commit.settings.spool_full == "dropLowest":
            commit.receipts.extend(self._relief.drop(room.lacks(size), commit.now))
            room.used = self._index.used()
        return room.take(size)

    def _write(self, arrival: Arrival, rows: list[Row], decision: Decision, known: Known, commit: _Commit) -> None:
        record, item = arrival.record, arrival.record.item
        grown = known.attempts.get(item.attempt, Attempt()).with_part(record.part, last=arrival.last)
        number = self._index.note(item, grown, digest_of(record), decision.why, commit.now)
        self._writer.write(number, rows, commit.now, hard=decision.hard, ready=grown.whole)
        if not grown.whole:
            return
        commit.whole.append(record)
        if grown.held > 1:
            self._writer.complete(number, hard=decision.hard, features=decision.features)
        if known.attempts.keys() - {item.attempt}:
            self._index.drop_others(item)

    def _note_whole(self, commit: _Commit) -> None:
        if commit.whole:
            self._events.accepted(commit.whole, commit.now)
            commit.whole.clear()
