"""Originals that are to be stored: which ones wait, and a copy of each on its way.

The file on the share may change at any moment; so it is copied while it is hashed, and only a copy that is what ingest
saw goes to the store. Name and hash are kept from the moment of acceptance: the intent is there before the first byte.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge_common.messages import Item, ItemId, Receipt
from edge_common.share import changed, open_item
from edge_upload.database import Database
from edge_upload.history.events import Events
from edge_upload.index import Index
from edge_upload.records import BadPartError, read_record
from edge_upload.sinks import Stored

CHUNK: Final = 1 << 20

SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Original:
    """One that waits.

    Attributes:
        number: In the spool.
        item: The item.
    """

    number: int
    item: Item


@dataclass(frozen=True, slots=True)
class Ending:
    """What has become of one.

    Attributes:
        original: Which.
        stored: What the store holds; None if it is given up.
    """

    original: Original
    stored: Stored | None


class Originals:
    """The originals in the spool. All methods block, on the spool's thread.

    Args:
        database: The spool's.
        index: Knows the items.
        events: Where it is written down what the store has.
    """

    def __init__(self, database: Database, index: Index, events: Events) -> None:
        self._database = database
        self._index = index
        self._events = events

    def waiting(self, most: int, but: Collection[int] = ()) -> list[Original]:
        """Those that go next, hard examples first.

        Args:
            most: How many, at most.
            but: Numbers of those that are passed over.
        """
        query = (
            "SELECT parts.number, id, record FROM parts INDEXED BY parts_originals JOIN records USING (number)"
            " JOIN items ON items.number = item WHERE ready AND shard IS NULL AND fault IS NULL"
            " AND cargo = 'original' ORDER BY hard DESC, parts.number LIMIT ?"
        )
        rows = self._database.execute(query, [most + len(but)]).fetchall()
        return list(self._read(row for row in rows if row[0] not in but))[:most]

    def settle(self, endings: Iterable[Ending], now: datetime) -> list[Receipt]:
        """They are in the store, or are given up; their items may be uploaded now.

        Raises:
            SpoolUnavailableError: The disk refuses.
        """
        items = []
        with self._database.transaction():
            for ending in endings:
                if ending.stored is None:
                    self._events.dropped(ending.original.number, now)
                gone = "DELETE FROM parts WHERE number = ? RETURNING item"
                items += [number for (number,) in self._database.execute(gone, [ending.original.number]).fetchall()]
                if ending.stored:
                    self._events.original(ending.original.item, ending.stored, now)
            return list(self._index.finish(items, now))

    def _read(self, rows: Iterable[tuple[int, ItemId, str]]) -> Iterator[Original]:
        for number, item, text in rows:
            try:
                yield Original(number, read_record(number, item, text).item)
            except BadPartError as error:
                self._index.set_aside(error)


def name_of(device: str, item: Item) -> str:
    """The name of an item's original in the store."""
    suffix = Path(item.path).suffix
    ending = suffix if SUFFIX.fullmatch(suffix) else ""
    return f"raw/device={quote(device, safe='')}/date={item.date.isoformat()}/{item.id}{ending}"


def copy_original(share: Path, item: Item, target: Path) -> None:
    """Copy an item's file from the share, if it is what ingest saw; otherwise a torn copy may be left.

    Raises:
        ItemError: ``CHANGED``; or, worth another try, ``GONE`` and ``IO``.
        OSError: The disk that it is copied to refuses.
    """
    digest = hashlib.sha256()
    with target.open("wb") as copy:
        for chunk in _chunks(share, item):
            digest.update(chunk)
            copy.write(chunk)
    if digest.hexdigest() != item.sha256:
        raise changed("its content is not what was hashed")


def _chunks(share: Path, item: Item) -> Iterator[bytes]:
    with open_item(share, item) as file:
        yield from iter(lambda: file.read(CHUNK), b"")
