"""One file's whole way, from the ledger."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import Any, Final

from edge_upload.verify.text import printable

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

OF_ITEM: Final = ("device", "date", "id")


def trace(db: Connection, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Items, each with its events in their order; the one that was seen first comes first.

    Args:
        db: The scratch database, which knows what the store holds.
        events: All that there are of these items.
    """
    by_item = sorted(events, key=itemgetter(*OF_ITEM, "at", "source", "number"))
    items = [_item(db, list(its)) for _, its in groupby(by_item, key=itemgetter(*OF_ITEM))]
    return sorted(items, key=lambda item: item["events"][0]["at"])


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


def _item(db: Connection, events: list[dict[str, Any]]) -> dict[str, Any]:
    about = {
        name: next((event[name] for event in events if event[name] is not None), None)
        for name in ("id", "device", "date", "path", "content_sha256", "size", "generation")
    }
    return {**about, "events": [_event(db, event) for event in events]}


def _event(db: Connection, event: dict[str, Any]) -> dict[str, Any]:
    at = datetime.fromtimestamp(event["at"], UTC).isoformat(timespec="milliseconds")
    told = {name: event[name] for name in ("module", "event", *SHORT, *LONG) if event[name] is not None}
    there = {"there": _is_there(db, event["object"])} if event["object"] else {}
    return {"at": at, **told, **there}


def _is_there(db: Connection, name: str) -> bool:
    return db.execute("SELECT 1 FROM file WHERE name = ?", [name]).fetchone() is not None
