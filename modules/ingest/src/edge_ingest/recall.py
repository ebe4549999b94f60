"""Brings files back from the share's private folder to where they were."""

import json
import logging
import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Final

from pydantic import BaseModel, ConfigDict

from edge_common.messages import ItemId, SharePath
from edge_ingest.globs import PathFilter
from edge_ingest.share import Share, ShareAwayError
from edge_ingest.sight import BAD_NAME, Signature, text_path
from edge_ingest.vault import NO_LINKS, QUARANTINE, REASON, names_for
from edge_ingest.walk import walk

log = logging.getLogger(__name__)

NOTES: Final = PathFilter([f"**/*{REASON}"], [])

LARGEST_NOTE: Final = 64 * 1024
"""Bytes; whoever writes to the share can write there as well."""


class Quarantined(BaseModel):
    """A file in quarantine, as its note tells.

    Attributes:
        id: Its item's.
        path: Where it was on the share, as text.
        code: Why it is there.
        kept: Where it is now, relative to the share's root.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: ItemId
    path: SharePath
    code: str
    kept: SharePath

    @property
    def place(self) -> str:
        """Where it was, as the operating system has it."""
        return text_path(self.path) if self.code == BAD_NAME else self.path


def quarantined(share: Share, ids: Collection[str], codes: Collection[str], most: int) -> list[Quarantined]:
    """Files in quarantine of some items or codes. The notes beside them are read, so no ledger is needed.

    Raises:
        ShareAwayError: The share is not there.
        OSError: The quarantine cannot be read.
    """
    found = []
    for note in _notes(share):
        if note.id in ids or note.code in codes:
            found.append(note)
        if len(found) == most:
            break
    return found


def looks(folder: int, name: str) -> Signature | None:
    """How something in an open folder looks; None for nothing.

    Raises:
        OSError: The file system refuses.
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Signature(status.st_size, status.st_mtime_ns)


def in_place(share: Share, path: str, expected: Signature) -> bool:
    """Whether a file is still what it was.

    Raises:
        OSError: The file system refuses.
    """
    parent, _, name = path.rpartition("/")
    try:
        with share.folder(parent) as folder:
            return looks(folder, name) == expected
    except (FileNotFoundError, NotADirectoryError):
        return False


def kept(share: Share, base: str, item: str, path: str, expected: Signature) -> str | None:
    """Where in a folder of the vault an item's file is, relative to the share's root, if it is there.

    Raises:
        OSError: The file system refuses.
    """
    parent, _, name = path.rpartition("/")
    for place in (f"{base}/{parent}", f"{base}/{item}"):
        with suppress(FileNotFoundError, NotADirectoryError), share.folder(place) as folder:
            if own := _kept_as(folder, name, item, expected):
                return f"{place}/{own}"
    return None


def put_back(share: Share, kept: str, path: str) -> bool:
    """Rename something in the private folder to its place, but never over anything; its note goes.

    Returns:
        Whether it is back; not if something else is in its place, or it is no longer where it was kept.

    Raises:
        OSError: The file system refuses.
    """
    folder, _, name = kept.rpartition("/")
    parent, _, own = path.rpartition("/")
    try:
        with share.folder(folder) as source, share.folder(parent, create=True) as target:
            _rename(source, name, target, own)
            os.fsync(target)
            with suppress(FileNotFoundError):
                os.unlink(name + REASON, dir_fd=source)
    except (FileExistsError, FileNotFoundError, NotADirectoryError):
        return False
    return True


def _notes(share: Share) -> Iterator[Quarantined]:
    try:
        for sight in walk(share, NOTES, QUARANTINE):
            if note := _read(share, sight.path):
                yield note
    except ShareAwayError:
        raise
    except FileNotFoundError:
        return  # nothing was ever quarantined


def _read(share: Share, path: str) -> Quarantined | None:
    folder, _, name = path.rpartition("/")
    try:
        with share.folder(f"{QUARANTINE}/{folder}") as parent:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=parent)
        with os.fdopen(descriptor, "rb") as file:
            note = json.loads(file.read(LARGEST_NOTE))
        return Quarantined.model_validate({**note, "kept": f"{QUARANTINE}/{path.removesuffix(REASON)}"})
    except (OSError, ValueError, TypeError, RecursionError) as error:
        log.warning("the note %r in quarantine cannot be read, and its file stays there: %s", path, error)
        return None


def _kept_as(folder: int, name: str, item: str, expected: Signature) -> str | None:
    """The name that a file has there. Its own may be free again; the numbered ones have no gaps."""
    for number, kept in enumerate(names_for(name, item)):
        found = looks(folder, kept)
        if found == expected:
            return kept
        if found is None and number > 0:
            break
    return None


def _rename(source: int, name: str, target: int, own: str) -> None:
    """Where there are no hard links, it is only checked a moment before that the place is free."""
    try:
        os.link(name, own, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        if looks(target, own):
            raise FileExistsError(own) from error
        os.rename(name, own, src_dir_fd=source, dst_dir_fd=target)
    else:
        os.unlink(name, dir_fd=source)
