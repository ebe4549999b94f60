"""A cloud share of the appliance: a folder whose files the appliance copies to the cloud.

It does not support renaming after creation, and an object in the cloud is overwritten by a file of its name. So a file
is written once, under its final name, from one that is staged elsewhere; one that is not whole is written again under
its name.
"""

import asyncio
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Final

from edge_common.files import fsync_folder, resolve_inside, write_atomically
from edge_common.mounts import file_system_type
from edge_upload.sinks import (
    Durable,
    Listed,
    SinkConflictError,
    SinkMissingError,
    SinkUnavailableError,
    StagedFileError,
    Stored,
)
from edge_upload.sinks.names import checked

OCCUPIED: Final = {errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""What the system says where a folder, a file or a link stands in the way."""

NO_FOLDER_SYNC: Final = {errno.EINVAL, errno.ENOTSUP}
"""What network file systems say that have nothing to do to make a folder durable."""

CHUNK: Final = 1 << 20

AT_ONCE: Final = 1000
"""Entries of a folder that are in memory while it is listed: a day may have a million originals."""

WRITE: Final = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC


class ShareSink:
    """Files in a cloud share.

    Args:
        folder: The share, as it is mounted. It must be there; it is never made.
        memory: A file that remembers what kind of file system the share is. Where the share is not mounted there is
            an empty folder, and what is written to it never gets to the cloud. None for who only reads.
    """

    durable: Durable = "appliance"

    def __init__(self, folder: Path, memory: Path | None = None) -> None:
        self._folder = folder
        self._memory = memory

    async def probe(self) -> None:
        with self._trouble_with("."):
            pass

    def limit(self, bytes_per_second: float | None) -> None:
        """Nothing: what goes to the cloud, and how fast, is the appliance's to say."""

    async def close(self) -> None:
        """Nothing: it holds nothing open."""

    async def put(self, name: str, file: Path, sha256: str) -> Stored:
        return await asyncio.to_thread(self._put, checked(name), file, sha256)

    async def check(self, name: str) -> str | None:
        return await asyncio.to_thread(self._check, checked(name))

    async def listing(self, prefix: str) -> AsyncIterator[Listed]:
        folders = [""]
        while folders:
            entries = self._entries(folders.pop())
            while some := await asyncio.to_thread(list, islice(entries, AT_ONCE)):
                for name, status in some:
                    if stat.S_ISDIR(status.st_mode):
                        if f"{name}/".startswith(prefix) or prefix.startswith(f"{name}/"):
                            folders.append(name)
                    elif stat.S_ISREG(status.st_mode) and name.startswith(prefix):
                        yield Listed(name, status.st_size, datetime.fromtimestamp(status.st_mtime, UTC))

    async def read(self, name: str) -> AsyncIterator[bytes]:
        checked(name)
        for offset in count(step=CHUNK):
            if chunk := await asyncio.to_thread(self._chunk, name, offset):
                yield chunk
            if len(chunk) < CHUNK:
                return

    def _entries(self, folder: str) -> Iterator[tuple[str, os.stat_result]]:
        """What lies in a folder, under names in the store; what goes meanwhile is not there."""
        with self._trouble_with(folder) as path, suppress(FileNotFoundError), os.scandir(path) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    yield f"{folder}/{entry.name}".lstrip("/"), entry.stat(follow_symlinks=False)

    def _chunk(self, name: str, offset: int) -> bytes:
        with self._trouble_with(name) as path:
            try:
                if not stat.S_ISREG(path.lstat().st_mode):
                    raise SinkConflictError(f"{name} on the cloud share is not a file")
                with path.open("rb") as file:
                    file.seek(offset)
                    return file.read(CHUNK)
            except FileNotFoundError as error:
                raise SinkMissingError(f"{name} is not on the cloud share") from error

    def _put(self, name: str, file: Path, sha256: str) -> Stored:
        written = self._check(name) != sha256
        if written:
            _verify(file, sha256)
        with self._trouble_with(name) as path:
            if written:
                path.parent.mkdir(parents=True, exist_ok=True)
                _copy(file, path)
            self._make_durable(path)
            self._remember_mount()
            return Stored(name, path.stat().st_size, written)

    def _check(self, name: str) -> str | None:
        with self._trouble_with(name) as path:
            try:
                mode = path.lstat().st_mode
            except FileNotFoundError:
                return None
            if not stat.S_ISREG(mode):
                raise SinkConflictError(f"{name} on the cloud share is not a file")
            return _sha256(path)

    def _make_durable(self, path: Path) -> None:
        """All of it, whoever wrote it: the process that did may have been killed before its fsync."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
        for folder in path.parents:
            _fsync_folder(folder)
            if folder == self._folder.resolve():
                return

    def _require_mount(self) -> None:
        """Make sure that what is there is the share.

        Raises:
            SinkUnavailableError: It is not.
        """
        if not self._folder.is_dir():
            raise SinkUnavailableError(f"the cloud share {self._folder} is not there")
        if self._memory and self._memory.exists():
            before, now = self._memory.read_text(), file_system_type(self._folder)
            if now != before:
                raise SinkUnavailableError(
                    f"the cloud share {self._folder} was on {before} and is now on {now}: mount it; if this is where"
                    f" it lies from now on, remove {self._memory}"
                )

    def _remember_mount(self) -> None:
        if self._memory and not self._memory.exists():
            write_atomically(self._memory, file_system_type(self._folder).encode())

    @contextmanager
    def _trouble_with(self, name: str) -> Iterator[Path]:
        """The path of a name; what the file system says meanwhile becomes a SinkError."""
        try:
            self._require_mount()
            yield resolve_inside(self._folder.resolve(), name)
            self._require_mount()
        except ValueError as error:
            raise SinkConflictError(str(error)) from error
        except OSError as error:
            if error.errno in OCCUPIED:
                raise SinkConflictError(f"{name} on the cloud share is occupied ({error})") from error
            raise SinkUnavailableError(f"{name} on the cloud share: {error}") from error


def _verify(file: Path, sha256: str) -> None:
    with suppress(FileNotFoundError):
        if _sha256(file) == sha256:
            return
    raise StagedFileError(f"{file} is gone, or not what it was")


def _copy(source: Path, target: Path) -> None:
    descriptor = os.open(target, WRITE, 0o644)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fsync(writer.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync_folder(folder: Path) -> None:
    try:
        fsync_folder(folder)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
