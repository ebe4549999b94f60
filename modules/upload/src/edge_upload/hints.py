"""What is found out about items after their acceptance: takes originals in addition, as long as that can be done.

Features cannot be had any more: the tensor store has forgotten them.
"""

from collections.abc import Iterable
from datetime import datetime

from edge_common.messages import Hint
from edge_upload.cargo import Cargo
from edge_upload.database import Database
from edge_upload.index import ACCEPTED, ASSEMBLING, Index, text_of, why_of
from edge_upload.metrics import UploadMetrics
from edge_upload.records import BadPartError, Record, read_record
from edge_upload.sampler import Sampler
from edge_upload.sampling import Why
from edge_upload.settings import UploadSettings
from edge_upload.writer import Writer, original_of


class Hints:
    """Follows hints. On the spool's thread.

    Args:
        database: The spool's.
        index: Takes note of what is damaged.
        sampler: The policy and its quotas.
        writer: Writes references to originals.
        metrics: Counts hints that come late.
    """

    def __init__(
        self, database: Database, index: Index, sampler: Sampler, writer: Writer, metrics: UploadMetrics
    ) -> None:
        self._database = database
        self._index = index
        self._sampler = sampler
        self._writer = writer
        self._metrics = metrics

    def follow(self, hints: Iterable[Hint], now: datetime, settings: UploadSettings) -> None:
        """Do what hints ask for, if the policy wants it.

        Raises:
            SpoolUnavailableError: The disk refuses; nothing is done.
        """
        late = 0
        with self._database.transaction():
            self._sampler.begin()
            self._writer.begin()
            for hint in hints:
                if hint.mark in settings.sample_marks:
                    late += not self._follow(hint, now, settings)
            self._sampler.end()
        self._sampler.count()
        self._metrics.late_hints.inc(late)

    def _follow(self, hint: Hint, now: datetime, settings: UploadSettings) -> bool:
        """Whether it came in time."""
        query = "SELECT number, state, sampled FROM items WHERE id = ? AND state IN (?, ?)"
        items = self._database.execute(query, [hint.id, ASSEMBLING, ACCEPTED]).fetchall()
        for number, state, sampled in items:
            known = why_of(sampled)
            if Why(hint.mark) in known:
                continue
            if state == ACCEPTED and not self._sample(number, known | {Why(hint.mark)}, now, settings):
                continue
            self._keep(number, known | {Why(hint.mark)})
        return bool(items)

    def _sample(self, item: int, why: frozenset[Why], now: datetime, settings: UploadSettings) -> bool:
        """Take an accepted item's original, unless it is taken, or a quota forbids it."""
        if settings.originals == "none" or self._takes_original(item):
            return True
        decision = self._sampler.decide(why, now, settings)
        if decision.original and not self._take_original(item, now):
            return False
        self._sampler.take(decision, now)
        return decision.original

    def _take_original(self, item: int, now: datetime) -> bool:
        try:
            original = original_of(self._record(item))
        except BadPartError as error:
            self._index.set_aside(error)
            return False
        self._writer.write(item, [original], now, hard=True, ready=True)
        return True

    def _keep(self, item: int, why: frozenset[Why]) -> None:
        self._database.execute("UPDATE items SET sampled = ? WHERE number = ?", [text_of(why), item])
        update = "UPDATE parts SET hard = TRUE WHERE item = ? AND cargo <> ? AND shard IS NULL"
        self._database.execute(update, [item, Cargo.RESULTS])

    def _takes_original(self, item: int) -> bool:
        query = "SELECT 1 FROM parts WHERE item = ? AND cargo = ?"
        return self._database.execute(query, [item, Cargo.ORIGINAL]).fetchone() is not None

    def _record(self, item: int) -> Record:
        query = (
            "SELECT parts.number, id, record FROM parts JOIN records USING (number) JOIN items ON items.number = item"
            " WHERE item = ? LIMIT 1"
        )
        return read_record(*self._database.execute(query, [item]).fetchone())
