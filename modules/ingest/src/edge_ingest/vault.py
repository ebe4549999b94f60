"""The share's private folder: where files go that are quarantined, archived, or about to be deleted.

Everything is moved by renaming, so a file is always in one place, and a restart finds it there.
"""

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import PurePosixPath
from typing import Any, Final, Literal

from edge_ingest.share import Share, UnsettledError, digest_at
from edge_ingest.sight import PRIVATE, Sight, Signature

QUARANTINE: Final = f"{PRIVATE}/quarantine"
RETIRING: Final = f"{PRIVATE}/retiring"
ARCHIVE: Final = f"{PRIVATE}/archive"
REASON: Final = ".reason.json"

LONGEST_NAME: Final = 200
"""Bytes of a name in the private folder, which leaves room for what is added; file systems allow 255."""

NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL})
"""What file systems without hard links say."""


class Vault:
    """Moves files into the share's private folder.

    Args:
        share: The share.
    """

    def __init__(self, share: Share) -> None:
        self._share = share

    def quarantine(self, item: str, path: str, expected: Signature, note: Mapping[str, Any]) -> bool:
        """Move something into the quarantine, with a ``.reason.json`` beside it; a symbolic link itself is moved.

        Args:
            item: Its item's id.
            path: Where it is on the share.
            expected: How it looked when it was refused.
            note: Why it is there.

        Returns:
            Whether it was moved: not if something else, or nothing, is there by now.

        Raises:
            OSError: The file system refuses.
        """
        parent, _, name = path.rpartition("/")
        with ExitStack() as stack:
            try:
                source = stack.enter_context(self._share.folder(parent))
                found = Sight.of(name, os.stat(name, dir_fd=source, follow_symlinks=False))
            except (FileNotFoundError, NotADirectoryError):
                return False
            if found.signature == expected:
                self._quarantine(source, parent, name, item, note)
            return found.signature == expected

    def retire(self, item: str, path: str, sha256: str, date: str, retention: Literal["delete", "archive"]) -> bool:
        """Delete or archive an uploaded file: out of the way first, hashed again, and only then gone.

        Args:
            item: Its item's id.
            path: Where it was on the share.
            sha256: Of the content that was uploaded.
            date: The day that it is archived under.
            retention: What becomes of it.

        Returns:
            Whether it is gone from its place; if not, something else, or nothing, is there by now.

        Raises:
            OSError: The file system refuses.
        """
        with self._share.folder(RETIRING, create=True) as retiring:
            if not _exists(retiring, item) and not self._fetch(path, retiring, item):
                return False
            if not _holds(retiring, item, sha256):
                self._put_back(retiring, item, path)
                return False
            if retention == "archive":
                self._archive(retiring, item, path, date)
            else:
                os.unlink(item, dir_fd=retiring)
        return True

    def release(self, item: str, path: str) -> None:
        """Let an uploaded file stay, or put it back where an earlier life has moved it out of the way.

        Raises:
            OSError: The file system refuses.
        """
        with suppress(FileNotFoundError), self._share.folder(RETIRING) as retiring:
            if _exists(retiring, item):
                self._put_back(retiring, item, path)

    def leftovers(self) -> list[str]:
        """Ids of items whose files were about to be retired when an earlier life ended.

        Raises:
            OSError: The file system refuses.
        """
        try:
            with self._share.folder(RETIRING) as retiring, os.scandir(retiring) as entries:
                return [entry.name for entry in entries]
        except FileNotFoundError:
            return []

    def _quarantine(self, source: int, parent: str, name: str, item: str, note: Mapping[str, Any]) -> None:
        with self._share.folder(self._place(QUARANTINE, parent, item), create=True) as target:
            kept = _free_name(target, name, item)
            write_whole(target, kept + REASON, json.dumps(note, ensure_ascii=False, indent=2).encode())
            os.rename(name, kept, src_dir_fd=source, dst_dir_fd=target)
            os.fsync(target)

    def _fetch(self, path: str, retiring: int, item: str) -> bool:
        """Move a file out of the way of whoever writes to the share."""
        parent, _, name = path.rpartition("/")
        try:
            with self._share.folder(parent) as source:
                os.rename(name, item, src_dir_fd=source, dst_dir_fd=retiring)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def _put_back(self, retiring: int, item: str, path: str) -> None:
        """It is not what was uploaded, so it is new; what has taken its place meanwhile is not touched."""
        parent, _, name = path.rpartition("/")
        with self._share.folder(self._place("", parent, item), create=True) as target:
            try:
                os.link(item, name, src_dir_fd=retiring, dst_dir_fd=target, follow_symlinks=False)
            except OSError as error:
                if error.errno not in NO_LINKS | {errno.EEXIST}:
                    raise
                os.rename(item, _free_name(target, name, item), src_dir_fd=retiring, dst_dir_fd=target)
            else:
                os.unlink(item, dir_fd=retiring)

    def _archive(self, retiring: int, item: str, path: str, date: str) -> None:
        parent, _, name = path.rpartition("/")
        with self._share.folder(self._place(f"{ARCHIVE}/{date}", parent, item), create=True) as target:
            os.rename(item, _free_name(target, name, item), src_dir_fd=retiring, dst_dir_fd=target)
            os.fsync(target)

    def _place(self, base: str, parent: str, item: str) -> str:
        """The folder of that name, or one of the item's own where a file stands in its way."""
        try:
            with self._share.folder(f"{base}/{parent}", create=True):
                return f"{base}/{parent}"
        except NotADirectoryError:
            return f"{base}/{item}"


def _holds(folder: int, name: str, sha256: str) -> bool:
    try:
        return digest_at(folder, name) == sha256
    except UnsettledError:
        return False


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def names_for(name: str, item: str) -> Iterator[str]:
    """The names that a file may have in the private folder: its own, that with the item's id, or with a number."""
    short = PurePosixPath(os.fsencode(name)[:LONGEST_NAME].decode(errors="replace"))
    yield short.name
    yield f"{short.stem}~{item[:8]}{short.suffix}"
    yield from (f"{short.stem}~{item[:8]}~{number}{short.suffix}" for number in count(1))


def _free_name(folder: int, name: str, item: str) -> str:
    return next(name for name in names_for(name, item) if not _exists(folder, name))


def write_whole(folder: int, name: str, data: bytes) -> None:
    """Write a file whole and durably, or not at all."""
    temporary = f".{os.urandom(8).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o664, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
