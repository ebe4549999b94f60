"""Files that were found: what is new about them goes into the ledger."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from sqlite3 import Connection
from typing import Final

from edge_ingest.identity import item_id
from edge_ingest.ledger.schema import State
from edge_ingest.sight import Found, Refusal, Sight

UNDER_WAY: Final = frozenset(
    {State.READY, State.WAITING, State.SENT, State.ACCEPTED, State.UPLOADED, State.REFUSED},
)
"""States in which a file that looks the same needs no second look."""

MISSING_CODE: Final = "GONE"
CHANGED_CODE: Final = "CHANGED"


def unknown(db: Connection, sights: Sequence[Sight], *, keep: bool) -> list[Sight]:
    """Those of some files that are not in the ledger as they look now.

    Args:
        db: The ledger.
        sights: How the files look.
        keep: Whether uploaded files stay; if not, one that is there again gets its retention again.
    """
    states = [*UNDER_WAY, *([State.DONE] if keep else [])]
    rows = db.execute(
        "SELECT path, size, mtime_ns FROM item WHERE path IN (SELECT value FROM json_each(?))"
        " AND state IN (SELECT value FROM json_each(?))",
        (json.dumps([sight.text for sight in sights]), json.dumps(states)),
    )
    known = {tuple(row) for row in rows}
    return [sight for sight in sights if (sight.text, sight.size, sight.mtime_ns) not in known]


def record(db: Connection, found: Iterable[Found], now: float, today: date) -> None:
    """Write down files with their content.

    A file that was settled before comes back to where its end is dealt with, so it gets its retention again; but not
    before a later generation has come to its end. One that was quarantined or gone is tried anew. Other content that
    still waited to be sent from the same path is gone.
    """
    rows = [_values(file, file.sha256, State.READY, now, today) for file in found]
    db.executemany(RECORD, rows)
    db.execute(
        "UPDATE item SET state = 'gone', code = ?, stage = 'ingest', reason = 'it has other content now', ended_at = ?"
        " WHERE path IN (SELECT value FROM json_each(?)) AND sha256 || path NOT IN"
        " (SELECT value FROM json_each(?)) AND state IN ('ready', 'waiting')",
        (
            CHANGED_CODE,
            now,
            json.dumps([row["path"] for row in rows]),
            json.dumps([f"{row['sha256']}{row['path']}" for row in rows]),
        ),
    )
    if db.execute("SELECT EXISTS (SELECT 1 FROM item WHERE generation > 0)").fetchone()[0]:
        db.executemany(
            "UPDATE item SET mtime_ns = :mtime_ns WHERE path = :path AND sha256 = :sha256 AND generation > 0", rows
        )


def supplant(db: Connection, known: Iterable[Sight], now: float) -> None:
    """Settle what still waited to be sent from paths where other files are by now, which are in the ledger already."""
    db.executemany(
        "UPDATE item SET state = 'gone', code = ?, stage = 'ingest', reason = 'it has other content now', ended_at = ?"
        " WHERE path = ? AND (size, mtime_ns) <> (?, ?) AND state IN ('ready', 'waiting')",
        [(CHANGED_CODE, now, sight.text, sight.size, sight.mtime_ns) for sight in known],
    )


def refuse(db: Connection, refusals: Iterable[Refusal], now: float, today: date) -> None:
    """Write down files that are refused as they are."""
    for refusal in refusals:
        values = _values(refusal, "", State.REFUSED, now, today)
        db.execute(REFUSE, {**values, "code": refusal.code, "reason": refusal.reason})


def missing(db: Connection, paths: Collection[str], now: float) -> None:
    """Settle what still waited to be sent from paths where nothing is any more."""
    db.execute(
        "UPDATE item SET state = 'gone', code = ?, stage = 'ingest', reason = 'it is no longer there', ended_at = ?"
        " WHERE path IN (SELECT value FROM json_each(?)) AND state IN ('ready', 'waiting')",
        (MISSING_CODE, now, json.dumps(list(paths))),
    )


def _values(file: Found | Refusal, sha256: str, state: State, now: float, today: date) -> dict[str, object]:
    sight = file.sight
    return {
        "id": item_id(sight.text, sha256),
        "path": sight.text,
        "size": sight.size,
        "mtime_ns": sight.mtime_ns,
        "share": sight.mark,
        "sha256": sha256,
        "date": today.isoformat(),
        "state": state,
        "now": now,
    }


INSERT: Final = """
INSERT INTO item (id, path, size, mtime_ns, sha256, captured_ns, date, state, seen_at, share)
VALUES (:id, :path, :size, :mtime_ns, :sha256, :mtime_ns, :date, :state, :now, :share)
"""

RENEWED: Final = """EXISTS (SELECT 1 FROM item later WHERE later.path = item.path AND later.sha256 = item.sha256
            AND later.generation > item.generation AND later.state NOT IN ('done', 'quarantined', 'gone'))"""
"""Whether the file is needed once more, by a later generation."""

RECORD: Final = f"""{INSERT} ON CONFLICT (id) DO UPDATE SET
    mtime_ns = excluded.mtime_ns,
    share = excluded.share,
    missed_at = NULL,
    losses = iif(state IN ('quarantined', 'gone'), 0, losses),
    strikes = iif(state IN ('quarantined', 'gone'), 0, strikes),
    code = iif(state IN ('quarantined', 'gone'), NULL, code),
    stage = iif(state IN ('quarantined', 'gone'), NULL, stage),
    reason = iif(state IN ('quarantined', 'gone'), NULL, reason),
    told = iif(state IN ('quarantined', 'gone'), 0, told),
    state = CASE WHEN state = 'done' THEN iif({RENEWED}, 'done', 'uploaded')
            WHEN state IN ('quarantined', 'gone') THEN 'ready' ELSE state END
"""

REFUSE: Final = """
INSERT INTO item (id, path, size, mtime_ns, sha256, captured_ns, date, state, code, stage, reason, seen_at, share)
VALUES (:id, :path, :size, :mtime_ns, :sha256, :mtime_ns, :date, :state, :code, 'ingest', :reason, :now, :share)
ON CONFLICT (id) DO UPDATE SET
    size = excluded.size, mtime_ns = excluded.mtime_ns, state = excluded.state, code = excluded.code,
    reason = excluded.reason, share = excluded.share, missed_at = NULL
"""
