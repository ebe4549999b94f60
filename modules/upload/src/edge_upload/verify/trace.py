"""One file's whole way, from the ledger."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from sqlite3 import Connection
from typing import Any, Final

ITEMS: Final = "SELECT device, date, id FROM item WHERE id = ? OR path = ? ORDER BY at"

EVENTS: Final = """
SELECT event.*, file.size AS size_there FROM event LEFT JOIN file ON file.name = object
WHERE event.device = ? AND event.date = ? AND event.id = ? ORDER BY event.at, source, number
"""

LABELS: Final = {
    "attempt": "attempt",
    "code": "code",
    "stage": "by",
    "reason": "reason",
    "contract_stamp": "contract",
    "model_digest": "model",
    "rows": "rows",
    "object": "as",
    "object_sha256": "sha256",
    "etag": "etag",
}


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
    """A line for each event, under its item."""
    for item in items:
        yield f"{item['path']!r} of {item['device']}, item {item['id']}, day {item['date']}"
        yield f"  {item['size']} bytes, sha256 {item['content_sha256']}, generation {item['generation']}"
        for event in item["events"]:
            told = "  ".join(f"{label} {event[name]}" for name, label in LABELS.items() if event.get(name))
            yield f"  {event['at']}  {event['module']:<6}  {event['event']:<11}  {told}"
            if event.get("object"):
                there = "in the store now" if event["there"] else "NOT in the store now"
                yield f"{'':46}{there}"


def _item(db: Connection, device: str, date: str, item: str) -> dict[str, Any]:
    rows = [dict(row) for row in db.execute(EVENTS, [device, date, item])]
    about = {
        name: next((row[name] for row in rows if row[name] is not None), None)
        for name in ("path", "content_sha256", "size", "generation")
    }
    return {"id": item, "device": device, "date": date, **about, "events": [_event(row) for row in rows]}


def _event(row: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(row["at"], UTC).isoformat(timespec="milliseconds")
    told = {name: row[name] for name in ("module", "event", *LABELS) if row[name] is not None}
    there = {"there": row["size_there"] is not None} if row["object"] else {}
    return {"at": at, **told, **there}
