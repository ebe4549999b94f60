"""Blobs on disk by digest, as an OCI image layout has them; each is whole and checked, or not there.

``blobs/sha256/<hex>``, and ``<hex>.partial`` for one that is under way. A break, a restart and a cancelled wish all
leave the partial file where it is, and the next attempt goes on from its end.
"""

import hashlib
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from io import BufferedIOBase
from pathlib import Path
from typing import BinaryIO, Final

from edge_common.files import fsync_folder
from edge_inference.errors import DigestMismatchError
from edge_inference.package import Descriptor, blob_name
from edge_inference.patience import Patience, Pause
from edge_inference.sources import ModelSource, Readable

_CHUNK: Final = 1 << 20
_BREATH_S: Final = 0.002
"""Between two pieces of a file, each a millisecond of work: what is answered meanwhile waits for one of them only."""

_READ_ONLY: Final = 0o444


class BlobStore:
    """Blobs under a folder. Methods block, and raise OSError where the disk refuses; one call at a time.

    Args:
        root: The folder, which is made.
        patience: With sources that break off.
    """

    def __init__(self, root: Path, patience: Patience) -> None:
        self._root = root
        self._folder = root / "blobs" / "sha256"
        self._patience = patience
        self._folder.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where a blob is, or will be."""
        return self._root / blob_name(digest)

    def missing(self, blobs: Iterable[Descriptor]) -> int:
        """How many bytes of some blobs are still to be had."""
        wanted = {blob.digest: blob.size for blob in blobs}
        return sum(size - min(size, self._come(digest)) for digest, size in wanted.items())

    def watch(self, blob: Descriptor) -> Callable[[], int]:
        """What tells how many bytes of a blob are still to be had while it is fetched, for next to nothing."""
        already, partial = _size(self.path(blob.digest)), self._partial(blob.digest)
        return lambda: blob.size - min(blob.size, already or _size(partial))

    def fetch(self, blob: Descriptor, source: ModelSource, pause: Pause) -> None:
        """Have a blob, from a source if need be, and every byte of it checked.

        Raises:
            DigestMismatchError: The bytes are others than promised.
            ModelError: The source cannot give it.
        """
        path, partial = self.path(blob.digest), self._partial(blob.digest)
        if path.exists():
            if _digest(path, pause) == blob.digest:
                if _size(path) != blob.size:
                    raise _other_than_promised(blob)
                return
            path.unlink()

        def more() -> None:
            self._resume(blob, source, partial, pause)

        self._patience.persist(more, pause, lambda: _size(partial))
        partial.chmod(_READ_ONLY)
        partial.rename(path)
        fsync_folder(self._folder)

    def put(self, pieces: Iterable[bytes]) -> tuple[str, int]:
        """Take in bytes whose digest is not known before; their digest and size."""
        beside = self._folder / f"{uuid.uuid4().hex}.partial"
        hashed = hashlib.sha256()
        try:
            with beside.open("xb") as file:
                for piece in pieces:
                    hashed.update(piece)
                    file.write(piece)
                _sync(file)
                size = file.tell()
            digest = f"sha256:{hashed.hexdigest()}"
            beside.chmod(_READ_ONLY)
            beside.rename(self.path(digest))
        finally:
            beside.unlink(missing_ok=True)
        fsync_folder(self._folder)
        return digest, size

    def sweep(self, spare: Collection[str] = ()) -> None:
        """Remove what no package is linked to, finished or not, but for the digests to spare."""
        for path in self._folder.iterdir():
            if f"sha256:{path.stem}" not in spare and path.stat().st_nlink == 1:
                path.unlink()

    def used(self) -> int:
        """Bytes that the blobs take."""
        return sum(path.stat().st_size for path in self._folder.iterdir())

    def _partial(self, digest: str) -> Path:
        return self.path(digest).with_suffix(".partial")

    def _come(self, digest: str) -> int:
        return max(_size(self.path(digest)), _size(self._partial(digest)))

    def _resume(self, blob: Descriptor, source: ModelSource, partial: Path, pause: Pause) -> None:
        """Bring a partial file to its end; where what was there before was bad, from the beginning."""
        began = _size(partial)
        if began > blob.size:
            partial.unlink()
            began = 0
        if not self._append(blob, source, partial, pause):
            partial.unlink()
            if not began or not self._append(blob, source, partial, pause):
                partial.unlink(missing_ok=True)
                raise _other_than_promised(blob)

    def _append(self, blob: Descriptor, source: ModelSource, partial: Path, pause: Pause) -> bool:
        """Read on from a partial file's end; whether it is then what the digest promised."""
        with partial.open("a+b") as file:
            hashed = hashlib.sha256()
            file.seek(0)
            for portion in _portions(file, pause, blob.size):
                hashed.update(portion)
            if (at := file.tell()) < blob.size or not blob.size:
                with source.open(blob, at) as taken:
                    for portion in _portions(taken, pause, blob.size + 1 - at):
                        hashed.update(portion)
                        file.write(portion)
            _sync(file)
            return file.tell() == blob.size and f"sha256:{hashed.hexdigest()}" == blob.digest


def pieces(file: Readable, pause: Pause, most: int | None = None) -> Iterator[bytes]:
    """What a file holds from where it stands, piece by piece, up to so many bytes; may be ended between two."""
    left = most
    while piece := file.read(_CHUNK if left is None else min(_CHUNK, left)):
        pause(0)
        yield piece
        left = None if left is None else left - len(piece)


def _portions(file: Readable, pause: Pause, most: int) -> Iterator[bytes | memoryview]:
    """The same, for who does not keep them: of a file, each lies where the one before it was."""
    if not isinstance(file, BufferedIOBase):
        yield from pieces(file, pause, most)
        return
    buffer, left = memoryview(bytearray(min(_CHUNK, most))), most
    while size := file.readinto(buffer[:left]):
        pause(_BREATH_S)
        yield buffer[:size]
        left -= size


def _other_than_promised(blob: Descriptor) -> DigestMismatchError:
    return DigestMismatchError(f"{blob.title} is not the {blob.size} bytes that the manifest promises")


def _digest(path: Path, pause: Pause) -> str:
    hashed = hashlib.sha256()
    with path.open("rb") as file:
        for portion in _portions(file, pause, _size(path)):
            hashed.update(portion)
    return f"sha256:{hashed.hexdigest()}"


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
