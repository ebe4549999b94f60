"""Samples items under the policy, and keeps what the quotas have let through: a restart does not renew them."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from edge_upload.database import Database
from edge_upload.metrics import UploadMetrics
from edge_upload.sampling import Decision, Quotas, Why, decide
from edge_upload.settings import UploadSettings


class Sampler:
    """What the sampling of one transaction after the other needs. On the spool's thread.

    Args:
        database: The spool's.
        metrics: Counts, once a transaction is durable.
    """

    def __init__(self, database: Database, metrics: UploadMetrics) -> None:
        self._database = database
        self._metrics = metrics
        self._quotas = Quotas()
        self._taken: list[Decision] = []

    def begin(self) -> None:
        """Call at the start of a transaction."""
        rows = self._database.execute("SELECT period, number, used FROM quotas")
        self._quotas = Quotas({period: (number, used) for period, number, used in rows})
        self._taken = []

    def decide(self, why: Iterable[Why], now: datetime, settings: UploadSettings) -> Decision:
        """What to store of an item that is whole."""
        return decide(frozenset(why), self._quotas, now, settings)

    def take(self, decision: Decision, now: datetime) -> None:
        """A decision is carried out; it takes its place in the quotas."""
        self._taken.append(decision)
        if decision.sampled:
            self._quotas = self._quotas.with_one_more(now)

    def end(self) -> None:
        """Call at the end of a transaction."""
        if any(decision.sampled for decision in self._taken):
            rows = [(period, *used) for period, used in self._quotas.used.items()]
            for row in rows:
                self._database.execute("INSERT OR REPLACE INTO quotas VALUES (?, ?, ?)", row)

    def count(self) -> None:
        """Call once a transaction is durable."""
        reasons = Counter(why for decision in self._taken for why in decision.why)
        for why, items in reasons.items():
            self._metrics.sampled.labels(why).inc(items)
        self._metrics.over_quota.inc(sum(decision.over_quota for decision in self._taken))
