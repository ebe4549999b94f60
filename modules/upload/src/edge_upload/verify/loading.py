"""From the store into the scratch database."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from sqlite3 import Connection, Row
from tempfile import NamedTemporaryFile
from typing import Any, Final

import pyarrow as pa

from edge_upload.history import shards
from edge_upload.sinks import Listed, Sink, SinkConflictError, SinkMissingError
from edge_upload.verify.names import FEATURES, LEDGER, ORIGINALS, RECORDS, device_of, parse

ROW_COLUMNS: Final = ("id", "attempt", "part", "row")

Read = Callable[[Path, Row], None]
FILE: Final = "INSERT INTO file VALUES (:name, :kind, :device, :date, :stem, :size, NULL, :modified, NULL)"
EVENT: Final = """
INSERT OR IGNORE INTO event VALUES (:device, :date, :source, :number, :module, :event, :at, :id, :attempt, :path,
    :content_sha256, :size, :generation, :code, :stage, :reason, :object, :object_sha256, :object_bytes, :etag, :rows,
    :model_digest, :contract_stamp)
"""
HELD: Final = "INSERT INTO held VALUES (?, ?, ?, ?, ?)"


async def files(db: Connection, sink: Sink, device: str | None) -> None:
    """Note what the store holds: of all devices, or of one.

    Raises:
        SinkUnavailableError: It does not answer.
    """
    for kind in (LEDGER, RECORDS, FEATURES, ORIGINALS):
        async for listed in sink.listing(f"{kind}/"):
            if device is None or device_of(listed.name) == device:
                db.execute(FILE, _about(kind, listed))


async def ledger(db: Connection, sink: Sink) -> None:
    """Read the events of all ledger shards; one that cannot be read is noted as trouble.

    Raises:
        SinkUnavailableError: The store does not answer.
    """
    await _examine(db, sink, LEDGER, lambda path, file: _load_events(db, path, file))


async def contents(db: Connection, sink: Sink) -> None:
    """Hash every file of results, features and originals, and count the rows of the first two.

    Raises:
        SinkUnavailableError: The store does not answer.
    """
    for kind in (RECORDS, FEATURES):
        await _examine(db, sink, kind, lambda path, file: _load_rows(db, path, file))
    await _examine(db, sink, ORIGINALS, lambda _path, _file: None)


async def _examine(db: Connection, sink: Sink, kind: str, read: Read) -> None:
    """Bring the files of a kind here, one at a time; hash them and read them."""
    for file in db.execute("SELECT * FROM file WHERE kind = ? ORDER BY name", [kind]).fetchall():
        try:
            async with _here(sink, file["name"]) as (path, sha256):
                db.execute("UPDATE file SET sha256 = ? WHERE name = ?", [sha256, file["name"]])
                with db:
                    read(path, file)
        except (pa.ArrowException, OSError, ValueError, SinkMissingError, SinkConflictError) as error:
            trouble = str(error).splitlines()[0]
            db.execute("UPDATE file SET trouble = ? WHERE name = ?", [trouble, file["name"]])


@asynccontextmanager
async def _here(sink: Sink, name: str) -> AsyncIterator[tuple[Path, str]]:
    """A copy of a file, and its hash."""
    hashed = hashlib.sha256()
    with NamedTemporaryFile(prefix="edge-verify-") as copy:
        async for chunk in sink.read(name):
            hashed.update(chunk)
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name), hashed.hexdigest()


def _load_events(db: Connection, path: Path, file: Row) -> None:
    about = {"device": file["device"], "date": file["date"]}
    db.executemany(EVENT, ({**event, **about} for event in shards.read(path, [*shards.COLUMNS])))


def _load_rows(db: Connection, path: Path, file: Row) -> None:
    """The rows of an item lie together in a shard, part by part."""
    rows = shards.read(path, ROW_COLUMNS)
    for (item, attempt), together in groupby(rows, key=lambda row: (row["id"], row["attempt"])):
        keys = [(row["part"], row["row"]) for row in together]
        db.execute(HELD, [file["name"], item, attempt, len(keys), len(set(keys))])


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
