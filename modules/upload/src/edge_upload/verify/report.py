"""What was found, for people and for machines."""

import json
from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any, Final

from edge_upload.verify.differences import DIFFERENCES, Kind
from edge_upload.verify.text import printable

MOST_LINES: Final = 20
"""Of one kind, for people."""

DAYS: Final = """
WITH day AS (
    SELECT device, date FROM standing UNION SELECT device, date FROM file WHERE date IS NOT NULL
    UNION SELECT device, date FROM finding
)
SELECT day.device, day.date,
    (SELECT count(*) FROM standing WHERE standing.device IS day.device AND standing.date IS day.date) AS items,
    (SELECT count(*) FROM standing WHERE standing.device IS day.device AND standing.date IS day.date
        AND state IN ('done', 'uploaded')) AS done,
    (SELECT count(*) FROM file WHERE file.device IS day.device AND file.date IS day.date AND kind <> '_ledger') AS files
FROM day ORDER BY 1, 2
"""

COUNTS: Final = "SELECT device, date, kind, count(*) FROM finding GROUP BY device, date, kind"


def counts(db: Connection) -> dict[str, int]:
    """How many findings there are of each kind."""
    found = dict(db.execute("SELECT kind, count(*) FROM finding GROUP BY kind").fetchall())
    return {kind.value: found.get(kind.value, 0) for kind in Kind}


def clean(db: Connection) -> bool:
    """Whether the store holds what the ledger says."""
    return not any(count for kind, count in counts(db).items() if kind in DIFFERENCES)


def as_json(db: Connection) -> Iterator[str]:
    """A line for each finding and each day, and a summary as the last one."""
    for row in db.execute("SELECT * FROM finding ORDER BY rowid"):
        yield json.dumps({"type": "finding", **dict(row)}, ensure_ascii=False)
    for day in _days(db):
        yield json.dumps({"type": "day", **day}, ensure_ascii=False)
    yield json.dumps({"type": "summary", "clean": clean(db), **counts(db)})


def as_text(db: Connection) -> Iterator[str]:
    """A table of days, what is found of each kind, and a sentence."""
    yield from _table(list(_days(db)))
    for kind in Kind:
        yield from _listing(db, kind)
    yield ""
    yield _sentence(db)


def _days(db: Connection) -> Iterator[dict[str, Any]]:
    found = {(device, date, kind): count for device, date, kind, count in db.execute(COUNTS)}
    for row in db.execute(DAYS):
        about = dict(row)
        yield about | {kind.value: found.get((about["device"], about["date"], kind.value), 0) for kind in Kind}


def _table(days: list[dict[str, Any]]) -> Iterator[str]:
    if not days:
        return
    cells = [list(days[0]), *([str("-" if value is None else value) for value in day.values()] for day in days)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        words = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        figures = [cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True)]
        yield "  ".join(words + figures)


def _listing(db: Connection, kind: Kind) -> Iterator[str]:
    total = counts(db)[kind]
    if total:
        yield f"\n{kind}: {total}"
    query = "SELECT device, date, about, detail FROM finding WHERE kind = ? ORDER BY rowid LIMIT ?"
    for row in db.execute(query, [kind, MOST_LINES]):
        yield f"  {row['device'] or '-'} {row['date'] or '-'} {printable(row['about'])}: {printable(row['detail'])}"
    if total > MOST_LINES:
        yield f"  … and {total - MOST_LINES} more; --json has them all"


def _sentence(db: Connection) -> str:
    if clean(db):
        return "The store holds what the ledger says."
    differing = ", ".join(f"{count} {kind}" for kind, count in counts(db).items() if count and kind in DIFFERENCES)
    return f"The store does not hold what the ledger says: {differing}."
