"""What differs between ledger and store: a query for each kind of difference.

Each query gives ``device``, ``date``, ``about`` (a name in the store, or a path) and ``detail``. They run on the
indexed scratch database; ``:since`` is the time before which a file must be in the ledger.
"""

from enum import StrEnum
from sqlite3 import Connection
from typing import Final


class Kind(StrEnum):
    """What is found. All but the last three are differences."""

    MISSING = "missing"
    """The ledger says it is stored, and the store does not hold it."""
    EXTRA = "extra"
    """The store holds it, and the ledger does not know it."""
    DIFFERING = "differing"
    """The store holds it otherwise than the ledger says."""
    GAP = "gap"
    """Part of the ledger's history itself is not in the store."""
    PENDING = "pending"
    """It is still on its way."""
    QUARANTINED = "quarantined"
    """It could not be processed; its file is in quarantine on the device."""
    GONE = "gone"
    """The file vanished, or got other content, before it was processed."""


DIFFERENCES: Final = frozenset({Kind.MISSING, Kind.EXTRA, Kind.DIFFERING, Kind.GAP})


MISSING_FILE: Final = """
SELECT stored.device, stored.date, stored.object AS about,
    count(DISTINCT stored.id) || ' items are in it'
    || coalesce('; ' || (SELECT name FROM file WHERE sha256 = stored.object_sha256 LIMIT 1) || ' has its content', '')
    AS detail
FROM stored LEFT JOIN file ON file.name = stored.object WHERE file.name IS NULL GROUP BY stored.object
ORDER BY 1, 2, 3
"""

NEVER_STORED: Final = """
SELECT device, date, path AS about, 'the ledger has it as ' || state || ', but it was never stored' AS detail
FROM standing WHERE state IN ('done', 'uploaded') AND NOT stored
ORDER BY 1, 2, 3
"""

ROWS_LOST: Final = """
SELECT stored.device, stored.date, stored.object AS about,
    'holds ' || coalesce(sum(held.rows), 0) || ' rows of item ' || stored.id || ', not ' || stored.rows AS detail
FROM stored JOIN file ON file.name = stored.object AND file.sha256 IS NOT NULL AND file.trouble IS NULL
LEFT JOIN held ON held.name = stored.object AND held.id = stored.id
WHERE file.kind IN ('records', 'features') AND stored.rows IS NOT NULL
GROUP BY stored.source, stored.number HAVING coalesce(sum(held.rows), 0) < stored.rows
ORDER BY 1, 2, 3
"""

NOT_IN_LEDGER: Final = """
SELECT file.device, file.date, file.name AS about, CASE
    WHEN file.date IS NULL THEN 'no name that the suite gives'
    ELSE 'no item of the ledger is in it' END AS detail
FROM file WHERE (file.date IS NULL OR (file.modified < :since AND file.kind <> '_ledger'))
AND NOT EXISTS (SELECT 1 FROM stored WHERE object = file.name)
AND NOT (kind = 'raw' AND EXISTS (SELECT 1 FROM item
    WHERE device = file.device AND date = file.date AND id = file.stem AND size = file.size AND dropped))
ORDER BY 1, 2, 3
"""
"""An original that was given up is none: the store may have taken it before, and a kill kept that from the ledger."""

STORED_TWICE: Final = """
SELECT one.device, one.date, one.object AS about,
    'item ' || one.id || ' is stored in attempt ' || one.attempt
    || ', and in ' || other.attempt || ' as ' || other.object AS detail
FROM stored AS one JOIN stored AS other USING (device, date, id) WHERE one.attempt < other.attempt
ORDER BY 1, 2, 3
"""

ROWS_TOO_MANY: Final = """
SELECT file.device, file.date, file.name AS about, CASE
    WHEN sum(held.distinct_rows) < sum(held.rows) OR count(*) > 1 THEN 'holds rows of item ' || held.id || ' twice'
    ELSE 'holds ' || sum(held.rows) || ' rows of item ' || held.id || ', not '
        || coalesce((SELECT sum(rows) FROM stored WHERE object = held.name AND id = held.id), 0) END AS detail
FROM held JOIN file ON file.name = held.name
WHERE EXISTS (SELECT 1 FROM stored WHERE object = held.name)
GROUP BY held.name, held.id
HAVING sum(held.rows) > coalesce((SELECT sum(rows) FROM stored WHERE object = held.name AND id = held.id), 0)
ORDER BY 1, 2, 3
"""

OTHER_SIZE: Final = """
SELECT DISTINCT file.device, file.date, file.name AS about,
    'has ' || file.size || ' bytes, not ' || object_bytes AS detail
FROM file JOIN stored ON object = name WHERE object_bytes <> file.size
ORDER BY 1, 2, 3
"""

OTHER_HASH: Final = """
SELECT device, date, name AS about, 'its content is not what its name says, but ' || sha256 AS detail
FROM file WHERE kind <> 'raw' AND date IS NOT NULL AND sha256 <> stem
ORDER BY 1, 2, 3
"""

OTHER_ORIGINAL: Final = """
SELECT file.device, file.date, file.name AS about, 'its content is not that of ' || path AS detail
FROM file JOIN item ON item.device = file.device AND item.date = file.date AND item.id = file.stem
WHERE kind = 'raw' AND sha256 <> content_sha256
ORDER BY 1, 2, 3
"""

UNREADABLE: Final = """
SELECT device, date, name AS about, 'cannot be read: ' || trouble AS detail FROM file WHERE trouble IS NOT NULL
ORDER BY 1, 2, 3
"""

GAPS: Final = """
WITH settled AS (SELECT device, source, max(number) AS last FROM event WHERE at < :since GROUP BY device, source)
SELECT device, NULL AS date, 'history ' || source AS about,
    last - count(*) || ' of its ' || last || ' events are not in the store' AS detail
FROM settled JOIN event USING (device, source) WHERE number <= last GROUP BY device, source HAVING count(*) < last
ORDER BY 1, 2, 3
"""

PENDING: Final = """
SELECT device, date, coalesce(path, id) AS about, CASE
    WHEN stored THEN 'stored; the device has not settled it yet'
    WHEN accepted THEN 'accepted by upload'
    WHEN state IS NULL THEN 'nothing is known of its beginnings'
    ELSE state || coalesce(' (' || code || ')', '') END || ', last heard of ' || datetime(at, 'unixepoch') || ' UTC'
    AS detail
FROM standing WHERE state IS NULL OR state NOT IN ('done', 'uploaded', 'quarantined', 'gone')
ORDER BY 1, 2, 3
"""

NEW: Final = """
SELECT device, date, name AS about, 'too new to be in the ledger' AS detail
FROM file WHERE modified >= :since AND date IS NOT NULL AND kind <> '_ledger'
AND NOT EXISTS (SELECT 1 FROM stored WHERE object = name)
ORDER BY 1, 2, 3
"""

ENDED: Final = """
SELECT device, date, path AS about, code || ': ' || coalesce(reason, '') AS detail FROM standing WHERE state = :kind
ORDER BY 1, 2, 3
"""

QUERIES: Final = (
    (Kind.MISSING, MISSING_FILE),
    (Kind.MISSING, NEVER_STORED),
    (Kind.MISSING, ROWS_LOST),
    (Kind.EXTRA, NOT_IN_LEDGER),
    (Kind.EXTRA, STORED_TWICE),
    (Kind.EXTRA, ROWS_TOO_MANY),
    (Kind.DIFFERING, OTHER_SIZE),
    (Kind.DIFFERING, OTHER_HASH),
    (Kind.DIFFERING, OTHER_ORIGINAL),
    (Kind.DIFFERING, UNREADABLE),
    (Kind.GAP, GAPS),
    (Kind.PENDING, PENDING),
    (Kind.PENDING, NEW),
    (Kind.QUARANTINED, ENDED),
    (Kind.GONE, ENDED),
)


def find(db: Connection, since: float) -> None:
    """Note all that is found, as rows of ``finding``.

    Args:
        db: The scratch database, indexed.
        since: Unix time; what is younger need not be in the ledger yet.
    """
    for kind, query in QUERIES:
        found = db.execute(query, {"since": since, "kind": kind})
        db.executemany("INSERT INTO finding VALUES (?, ?, ?, ?, ?)", ([kind, *row] for row in found))
