"""What works on the spool's database, put together."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from edge_common.tensors import TensorReader
from edge_upload.database import Database
from edge_upload.features import FeatureReader
from edge_upload.hints import Hints
from edge_upload.history.events import Events
from edge_upload.index import Index
from edge_upload.metrics import UploadMetrics
from edge_upload.originals import Originals
from edge_upload.relief import Relief
from edge_upload.sampler import Sampler
from edge_upload.shards import Shards
from edge_upload.sinks import Durable
from edge_upload.spool import Spool
from edge_upload.writer import Writer


@dataclass(frozen=True, slots=True)
class SpoolParts:
    """The spool's way in, its ways out, and what they share; all on one thread.

    Attributes:
        database: Where everything is kept.
        index: Knows the items.
        spool: Stores results.
        hints: Follows what is found out later.
        shards: Results and features on their way out.
        originals: Files on their way out.
        events: What happened to items.
    """

    database: Database
    index: Index
    spool: Spool
    hints: Hints
    shards: Shards
    originals: Originals
    events: Events

    @classmethod
    def open(cls, file: Path, durable: Durable, tensors: Path, metrics: UploadMetrics) -> Self:
        """Open the database, and put together what works on it.

        Args:
            file: The database.
            durable: Where the store makes items durable.
            tensors: The tensor store, for features.
            metrics: Counted into.

        Raises:
            ConfigurationError: A much newer release wrote the spool.
            SpoolUnavailableError: The disk refuses.
        """
        database = Database(file)
        index, events = Index(database, durable), Events(database)
        sampler, writer = Sampler(database, metrics), Writer(database)
        features, relief = FeatureReader(TensorReader(tensors)), Relief(database, index, events, metrics)
        return cls(
            database,
            index,
            Spool(database, index, features, writer, sampler, relief, events),
            Hints(database, index, sampler, writer, metrics),
            Shards(database, index, events),
            Originals(database, index, events),
            events,
        )
