"""What is found after a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Entry:
    """An item in ingest's ledger."""

    id: str
    path: str
    sha256: str
    state: str


@dataclass(frozen=True)
class Record:
    """A row in the store."""

    id: str
    path: str
    sha256: str
    model: str
    label: str


@dataclass(frozen=True)
class File:
    """A file on the share, in its archive or in its quarantine, under the path that it came by."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Evidence:
    """What is there after a run.

    Attributes:
        ledger: All items.
        records: All rows in the store.
        spoilt: Files in the store whose bytes are not what their name says.
        share: The files on the share, but for its private folder.
        archive: Those that were archived.
        quarantine: Those in quarantine, with the code of each.
        halfway: Names left in the private folder on the way to their last place.
    """

    ledger: Sequence[Entry]
    records: Sequence[Record]
    spoilt: Sequence[str] = ()
    share: Sequence[File] = ()
    archive: Sequence[File] = ()
    quarantine: Mapping[File, str] = field(default_factory=dict)
    halfway: Sequence[str] = ()
