"""From the store into the scratch database."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection, Row
from typing import Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from edge_upload.history import shards
from edge_upload.sinks import Listed, Sink, SinkConflictError, SinkMissingError
from edge_upload.verify import scratch
from edge_upload.verify.names import FEATURES, LEDGER, ORIGINALS, RECORDS, device_of, parse

EVENT_COLUMNS: Final = (
    *("source", "number", "module", "event", "at", "id", "attempt", "path", "content_sha256", "size"),
    *("code", "reason", "object", "object_sha256", "object_bytes", "rows"),
)
"""What differences are told by: those of the table ``event``, after device and date."""

ROW_COLUMNS: Final = ("id", "attempt", "part", "row")

Read = Callable[[BinaryIO, Row], None]
FILE: Final = "INSERT INTO file VALUES (:name, :kind, :device, :date, :stem, :size, NULL, :modified, NULL)"
EVENT: Final = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
HELD: Final = "INSERT INTO held VALUES (?, ?, ?, ?, ?)"

Event = dict[str, Any]
"""``device``, ``date``, and ``shards.COLUMNS``."""


async def files(db: Connection, sink: Sink, device: str | None) -> None:
    """Note what the store holds: of all devices, or of one.

    Raises:
        SinkUnavailableError: It does not answer.
    """
    with _transaction(db):
        for kind in (LEDGER, RECORDS, FEATURES, ORIGINALS):
            async for listed in sink.listing(f"{kind}/"):
                if device is None or device_of(listed.name) == device:
                    db.execute(FILE, _about(kind, listed))


async def ledger(db: Connection, sink: Sink) -> None:
    """Read the events of all ledger shards; one that cannot be read is noted as trouble.

    Raises:
        SinkUnavailableError: The store does not answer.
        ScratchError: The disk for scratch files refuses.
    """

    def load(shard: BinaryIO, file: Row) -> None:
        about = (file["device"], file["date"])
        db.executemany(EVENT, ((*about, *event) for event in shards.read(shard, EVENT_COLUMNS)))

    await _examine(db, sink, _files(db, LEDGER), load)


async def history(db: Connection, sink: Sink, what: str) -> list[Event]:
    """Read all that the ledger says of the items that a path or an id names, in no order.

    Not every event has its item's path, but all of an item's events are filed under its day.

    Raises:
        SinkUnavailableError: The store does not answer.
        ScratchError: The disk for scratch files refuses.
    """
    found = await _events(db, sink, _files(db, LEDGER), _among([what], "path", "id"))
    days = {(event["device"], event["date"]) for event in found}
    theirs = [file for file in _files(db, LEDGER) if (file["device"], file["date"]) in days]
    return await _events(db, sink, theirs, _among({event["id"] for event in found}, "id"))


async def contents(db: Connection, sink: Sink) -> None:
    """Hash every file of results, features and originals, and count the rows of the first two.

    Raises:
        SinkUnavailableError: The store does not answer.
        ScratchError: The disk for scratch files refuses.
    """

    def load(shard: BinaryIO, file: Row) -> None:
        """The rows of an item lie together in a shard, part by part."""
        rows = shards.read(shard, ROW_COLUMNS)
        for (item, attempt), together in groupby(rows, key=itemgetter(0, 1)):
            keys = [row[2:] for row in together]
            db.execute(HELD, [file["name"], item, attempt, len(keys), len(set(keys))])

    for kind in (RECORDS, FEATURES):
        await _examine(db, sink, _files(db, kind), load)
    for file in _files(db, ORIGINALS):
        with _trouble_noted(db, file):
            await _hash(db, sink, file)


def _among(values: Iterable[str], *columns: str) -> shards.Where:
    """Rows with any of these values in any of these columns."""
    wanted = pa.array(values, pa.string())

    def among(rows: pa.RecordBatch) -> pa.BooleanArray:
        return reduce(pc.or_, (pc.is_in(rows[column], wanted) for column in columns))

    return among


async def _events(db: Connection, sink: Sink, files: Iterable[Row], where: shards.Where) -> list[Event]:
    """Those events in some ledger shards that a condition is true of; each once."""
    found: dict[tuple[str, str, int], Event] = {}

    def load(shard: BinaryIO, file: Row) -> None:
        about = {"device": file["device"], "date": file["date"]}
        for values in shards.read(shard, [*shards.COLUMNS], where):
            event = about | dict(zip(shards.COLUMNS, values, strict=True))
            found[event["device"], event["source"], event["number"]] = event

    await _examine(db, sink, files, load)
    return list(found.values())


async def _examine(db: Connection, sink: Sink, files: Iterable[Row], read: Read) -> None:
    """Bring files here, one at a time; hash them and read them."""
    for file in files:
        with _trouble_noted(db, file), scratch.file() as copy:
            await _hash(db, sink, file, copy)
            with _transaction(db):
                read(copy, file)


async def _hash(db: Connection, sink: Sink, file: Row, copy: BinaryIO | None = None) -> None:
    """Note the hash of what is in a file, and copy it."""
    hashed = hashlib.sha256()
    async for chunk in sink.read(file["name"]):
        hashed.update(chunk)
        if copy:
            with scratch.writing():
                copy.write(chunk)
                copy.flush()
    db.execute("UPDATE file SET sha256 = ? WHERE name = ?", [hashed.hexdigest(), file["name"]])


@contextmanager
def _trouble_noted(db: Connection, file: Row) -> Iterator[None]:
    """A file that cannot be read hides no other."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, SinkMissingError, SinkConflictError) as error:
        trouble = str(error).splitlines()[0]
        db.execute("UPDATE file SET trouble = ? WHERE name = ?", [trouble, file["name"]])


@contextmanager
def _transaction(db: Connection) -> Iterator[None]:
    """What is inserted goes to disk together; row by row, it would take ten times as long."""
    db.execute("BEGIN")
    try:
        yield
    finally:
        db.execute("COMMIT")


def _files(db: Connection, kind: str) -> Iterator[Row]:
    """They may be too many for memory; the ``+`` has them sorted apart, so that they can be changed meanwhile."""
    return db.execute("SELECT * FROM file WHERE kind = ? ORDER BY +name", [kind])


def _about(kind: str, listed: Listed) -> dict[str, Any]:
    place = parse(listed.name)
    return {
        "name": listed.name,
        "kind": kind,
        "device": device_of(listed.name),
        "date": place and place.date,
        "stem": place and place.stem,
        "size": listed.size,
        "modified": listed.modified.timestamp(),
    }
