"""The share's tree, entered without ever following a symbolic link below its root.

Every path is walked folder by folder with ``O_NOFOLLOW``, so that nothing planted on the share leads out of it, not
even while we look.
"""

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Final

from edge_ingest.sight import Signature

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

NO_FILE: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.ENXIO, errno.ENODEV})
"""What opening says where there is nothing, a symbolic link, a socket, or a device without a driver."""

BLOCK: Final = 1 << 16
"""Bytes that are read at once; more are not hashed faster."""


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

    @contextmanager
    def held(self) -> Iterator["Share"]:
        """The share that is there now, and stays this one whatever is mounted, unmounted or renamed meanwhile.

        Raises:
            ShareAwayError: The root is not there.
            OSError: The file system refuses.
        """
        descriptor = self._open_root()
        try:
            yield Share(Path(f"/proc/self/fd/{descriptor}"))
        finally:
            os.close(descriptor)

    def each(self, paths: Iterable[str]) -> Iterator[tuple[int | OSError, str, str]]:
        """Visit paths, entering each folder once for those of its paths that come together.

        Yields:
            For each path the open folder that it is in, or why that cannot be entered; its name there; and the path.
        """
        for parent, group in groupby(paths, key=lambda path: path.rpartition("/")[0]):
            with ExitStack() as stack:
                folder: int | OSError
                try:
                    folder = stack.enter_context(self.folder(parent))
                except OSError as error:
                    folder = error
                for path in group:
                    yield folder, path.rpartition("/")[2], path

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
    descriptor = _open(folder, name)
    try:
        _check(os.fstat(descriptor), expected, name)
        digest = hashlib.sha256()
        while block := os.read(descriptor, BLOCK):
            digest.update(block)
        _check(os.fstat(descriptor), expected, name)
    finally:
        os.close(descriptor)
    return digest.hexdigest()


def _open(folder: int, name: str) -> int:
    """Open a file; what has become of it meanwhile is neither followed nor waited for."""
    try:
        return os.open(name, FILE, dir_fd=folder)
    except OSError as error:
        if error.errno in NO_FILE:
            raise UnsettledError(name) from error
        raise


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
