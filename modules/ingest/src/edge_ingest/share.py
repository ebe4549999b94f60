"""The share's tree, entered without ever following a symbolic link below its root.

Every path is walked folder by folder with ``O_NOFOLLOW``, so that nothing planted on the share leads out of it, not
even while we look.
"""

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from edge_ingest.sight import Sight, Signature

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class ShareAwayError(OSError):
    """The share's root is not there: not mounted yet, or no longer."""


class UnsettledError(Exception):
    """A file is not what it was a moment ago."""


class Share:
    """The local share.

    Args:
        root: Its root, which may be absent for a while. It may itself be a link: where the share lies is the
            deployment's business.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @contextmanager
    def folder(self, path: str, *, create: bool = False) -> Iterator[int]:
        """A folder of the share, open.

        Args:
            path: Relative to the root; empty for the root itself.
            create: Whether to make what is missing.

        Yields:
            Its descriptor.

        Raises:
            ShareAwayError: The root is not there.
            FileNotFoundError: Some folder on the way is not there.
            NotADirectoryError: Something on the way is no folder, a symbolic link for instance.
            OSError: The file system refuses.
        """
        descriptor = self._open_root()
        try:
            for name in filter(None, path.split("/")):
                inner = _enter(descriptor, name, create=create)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        finally:
            os.close(descriptor)

    def look(self, path: str) -> Sight | None:
        """How something on the share looks; None if nothing is there.

        Raises:
            ShareAwayError: The root is not there.
            OSError: The file system refuses.
        """
        parent, _, name = path.rpartition("/")
        try:
            with self.folder(parent) as folder:
                return Sight.of(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def digest(self, sight: Sight) -> str:
        """The SHA-256 of a file's content, in hexadecimal, read as a stream.

        Raises:
            UnsettledError: It changed since it was looked at, or while it was read.
            OSError: The file system refuses.
        """
        parent, _, name = sight.path.rpartition("/")
        try:
            with self.folder(parent) as folder:
                return digest_at(folder, name, sight.signature)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UnsettledError(sight.path) from error

    def identity(self) -> tuple[int, int] | None:
        """What tells this root from another one mounted in its place; None while there is none."""
        try:
            status = self.root.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino

    def _open_root(self) -> int:
        try:
            return os.open(self.root, FOLDER)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ShareAwayError(error.errno, "the share is not there", str(self.root)) from error


def digest_at(folder: int, name: str, expected: Signature | None = None) -> str:
    """The SHA-256 of a file's content, in hexadecimal, read as a stream.

    Args:
        folder: Descriptor of its folder.
        name: Its name there.
        expected: How it should look, before and after.

    Raises:
        UnsettledError: It does not.
        OSError: The file system refuses.
    """
    _check(os.stat(name, dir_fd=folder, follow_symlinks=False), expected, name)
    # Not blocking, should it have become a FIFO meanwhile.
    with open(os.open(name, FILE, dir_fd=folder), "rb", buffering=0) as file:  # noqa: PTH123 - opened by descriptor
        _check(os.fstat(file.fileno()), expected, name)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        _check(os.fstat(file.fileno()), expected, name)
    return digest


def _check(status: os.stat_result, expected: Signature | None, name: str) -> None:
    found = Signature(status.st_size, status.st_mtime_ns)
    if not stat.S_ISREG(status.st_mode) or (expected and found != expected):
        raise UnsettledError(name)


def _enter(folder: int, name: str, *, create: bool) -> int:
    """Open a folder within a folder."""
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, 0o775, dir_fd=folder)
    return os.open(name, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
