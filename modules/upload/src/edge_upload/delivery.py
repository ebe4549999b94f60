"""Has the store take files, and makes sure of them."""

from pathlib import Path

from edge_upload.metrics import UploadMetrics
from edge_upload.sinks import Sink, SinkError, SinkUnavailableError, Stored


class Delivery:
    """The last step of every file's way.

    Args:
        sink: The store.
        metrics: Counts what it refuses.

    Attributes:
        metrics: Likewise.
    """

    def __init__(self, sink: Sink, metrics: UploadMetrics) -> None:
        self._sink = sink
        self.metrics = metrics

    async def probe(self) -> None:
        """Make sure that the store is there.

        Raises:
            SinkError: It is not.
        """
        await self._sink.probe()

    async def deliver(self, name: str, file: Path, sha256: str) -> Stored:
        """Put a file, and compare what then stands in the store.

        Raises:
            SinkError: It is not there; see its kinds.
        """
        try:
            stored = await self._sink.put(name, file, sha256)
            if await self._sink.check(name) != sha256:
                raise SinkUnavailableError(f"{name} is not what was stored")
        except SinkError:
            self.metrics.put_failures.inc()
            raise
        return stored
