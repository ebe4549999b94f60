"""What shows bytes on their way."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from edge_inference.package import Descriptor
from edge_inference.signing.referrers import Referrers
from edge_inference.sources import ModelSource, Stream


def progress() -> Progress:
    """Bars on standard error, which are gone at the end."""
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)


class Shown:
    """A source whose blobs are seen passing."""

    def __init__(self, source: ModelSource, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    @property
    def referrers(self) -> Referrers:
        return self._source.referrers

    def manifest(self) -> bytes:
        return self._source.manifest()

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        task = self._progress.add_task(blob.title, total=blob.size, completed=at)
        return _Watched(self._source.open(blob, at), lambda count: self._progress.advance(task, count))


class _Watched(Stream):
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: Stream, read: Callable[[int], None]) -> None:
        self._stream = stream
        self._read = read

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._read(len(data))
        return data

    def close(self) -> None:
        self._stream.close()
