"""One file's whole way, from the ledger."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Final

from edge_upload.verify.text import printable

ITEMS: Final = "SELECT device, date, id FROM item WHERE id = ? OR path = ? ORDER BY at"

EVENTS: Final = """
SELECT event.*, file.size AS size_there FROM event LEFT JOIN file ON file.name = object
WHERE event.device = ? AND event.date = ? AND event.id = ? ORDER BY event.at, source, number
"""

SHORT: Final = {"attempt": "attempt", "rows": "rows", "code": "code", "stage": "by"}
"""What stands beside an event, and its label."""

LONG: Final = {
    "reason": "because",
    "contract_stamp": "contract",
    "model_digest": "model",
    "object": "stored as",
    "object_sha256": "sha256",
    "etag": "etag",
}
"""What has a line of its own below it."""


def trace(db: Connection, what: str) -> list[dict[str, Any]]:
    """The items that a path or an id names, each with its events in their order.

    Args:
        db: The scratch database, indexed.
        what: A path on the device's share, or an item's id.
    """
    return [_item(db, *row) for row in db.execute(ITEMS, [what, what]).fetchall()]


def as_json(items: list[dict[str, Any]]) -> Iterator[str]:
    """A line for each item."""
    return (json.dumps(item, ensure_ascii=False) for item in items)


def as_text(items: list[dict[str, Any]]) -> Iterator[str]:
    """A few lines for each event, under its item."""
    for item in items:
        yield f"{printable(item['path'] or '?')} of device {item['device']}"
        yield f"  item {item['id']}, day {item['date']}, generation {item['generation']}"
        yield f"  {item['size']} bytes, sha256 {item['content_sha256']}"
        for event in item["events"]:
            yield from _lines(event)


def _lines(event: dict[str, Any]) -> Iterator[str]:
    beside = ", ".join(f"{label} {event[name]}" for name, label in SHORT.items() if name in event)
    yield f"  {event['at']}  {event['event']:<11}  {event['module']}: {beside}"
    for name, label in LONG.items():
        if name in event:
            yield f"{'':33}{label:<10} {printable(event[name])}"
    if "there" in event:
        yield f"{'':33}{'there now' if event['there'] else 'NOT THERE NOW'}"


def _item(db: Connection, device: str, date: str, item: str) -> dict[str, Any]:
    rows = [dict(row) for row in db.execute(EVENTS, [device, date, item])]
    about = {
        name: next((row[name] for row in rows if row[name] is not None), None)
        for name in ("path", "content_sha256", "size", "generation")
    }
    return {"id": item, "device": device, "date": date, **about, "events": [_event(row) for row in rows]}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds")
    told = {name: row[name] for name in ("module", "event", *SHORT, *LONG) if row[name] is not None}
    there = {"there": row["size_there"] is not None} if row["object"] else {}
    return {"at": at, **told, **there}
