"""Which originals make a dataset, and what is known of them: queries on the scratch database of ``edge_upload.verify``.

Memory does not grow with the items; what is read of the store is its ledger and its listing.
"""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from sqlite3 import Connection, Row
from typing import Final, NamedTuple

from edge_mlops.dataset.labels import Box, Label
from edge_mlops.dataset.split import split_of
from edge_mlops.errors import DatasetError, LedgerError
from edge_upload.sinks import Sink
from edge_upload.verify import loading, scratch

MOST_SAMPLES: Final = 1 << 20
"""The number of a sample in its file is below that."""

LABELS: Final = "CREATE TABLE label (key TEXT, sample INTEGER, label TEXT, boxes TEXT)"

JOIN: Final = """
CREATE TABLE original AS         -- what the ledger says is stored
SELECT stored.device, stored.date, stored.id, path, object AS name, object_sha256 AS sha256, object_bytes AS bytes,
    state, file.size IS object_bytes AS there
FROM stored JOIN standing USING (device, date, id) LEFT JOIN file ON file.name = object
WHERE object LIKE 'raw/%' GROUP BY object;
CREATE INDEX original_by_id ON original (id);
CREATE INDEX original_by_path ON original (path, sha256);

CREATE TABLE place AS            -- and what is taken of it: each content once, the oldest item with it
SELECT *, row_number() OVER (PARTITION BY sha256 ORDER BY date, device, id) AS number
FROM original WHERE there AND state IS NOT 'quarantined';

CREATE TABLE named AS            -- a path that has had several contents names none of them
SELECT key, sample, label, boxes, sha256 FROM label JOIN original ON original.id = key
UNION
SELECT key, sample, label, boxes, min(sha256) FROM label JOIN original ON original.path = key
GROUP BY key, sample, label, boxes HAVING count(DISTINCT sha256) = 1;

CREATE TABLE meant AS SELECT DISTINCT sha256, sample, label, boxes FROM named;
CREATE INDEX meant_by_content ON meant (sha256, sample);

CREATE TABLE contradiction AS
SELECT sha256 FROM meant GROUP BY sha256, sample HAVING count(*) > 1
UNION SELECT sha256 FROM meant GROUP BY sha256 HAVING min(sample IS NULL) < max(sample IS NULL);
"""

ROWS: Final = """
SELECT place.name, device, date, id, path, place.sha256, bytes, sample, label, boxes
FROM place LEFT JOIN meant ON meant.sha256 = place.sha256
    AND meant.sha256 NOT IN (SELECT sha256 FROM contradiction)
WHERE number = 1 ORDER BY date, device, id, sample
"""

LEFT_OUT: Final = """
SELECT
    (SELECT count(*) FROM original WHERE NOT there) AS missing,
    (SELECT count(*) FROM original WHERE there AND state = 'quarantined') AS quarantined,
    (SELECT count(*) FROM place WHERE number > 1) AS duplicates,
    (SELECT count(*) FROM contradiction) AS contradictory_labels,
    (SELECT count(DISTINCT key) FROM label WHERE key NOT IN (SELECT key FROM named)) AS labels_of_nothing
"""


class Item(NamedTuple):
    """An item of a dataset: a row of its manifest.

    Attributes:
        name: Of its original, in the store.
        device: Where it is from.
        date: The item's day, ISO.
        id: The item's.
        path: On the device's share.
        sha256: Of its content, in hex.
        bytes: Its size.
        split: What it is for.
        label: Of the whole file, if there is one.
        labels: Of its samples, if it is they that have them; None for a sample without.
        boxes: What is where in it, if that is said.
    """

    name: str
    device: str
    date: str
    id: str
    path: str
    sha256: str
    bytes: int
    split: str
    label: str | None = None
    labels: tuple[str | None, ...] | None = None
    boxes: tuple[Box, ...] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """All that is said of it."""
        said = (self.label, *(self.labels or ()), *(box.label for box in self.boxes or ()))
        return tuple(label for label in said if label is not None)


async def load(db: Connection, sink: Sink, labels: Iterable[Label]) -> None:
    """Bring ledger and labels into a scratch database, and join them.

    Raises:
        SinkError: The store does not answer.
        LabelsError: From the labels.
        LedgerError: There is no ledger, or not all of it can be read.
        ScratchError: The disk for scratch files refuses.
    """
    await loading.files(db, sink, None)
    if not db.execute("SELECT 1 FROM file WHERE kind = '_ledger'").fetchone():
        raise LedgerError("there is no ledger in the store")
    await loading.ledger(db, sink)
    if trouble := db.execute("SELECT name, trouble FROM file WHERE trouble IS NOT NULL").fetchone():
        raise LedgerError(f"{trouble['name']} cannot be read ({trouble['trouble']})")
    scratch.digest(db)
    db.execute(LABELS)
    rows = ((*label[:3], label.boxes and json.dumps(label.boxes)) for label in labels)
    db.executemany("INSERT INTO label VALUES (?, ?, ?, ?)", rows)
    db.executescript(JOIN)


def items(db: Connection) -> Iterator[Item]:
    """What the dataset holds, in a fixed order.

    Raises:
        DatasetError: A label is of a sample that no file has.
    """
    for _, rows in groupby(db.execute(ROWS), key=lambda row: row["name"]):
        together = list(rows)
        yield _item(together[0], together)


def left_out(db: Connection) -> dict[str, int]:
    """How much is not in it, by why."""
    return dict(db.execute(LEFT_OUT).fetchone())


def _item(row: Row, together: list[Row]) -> Item:
    item = Item._make([*row[:7], split_of(row["sha256"]), None, None, None])
    if row["sample"] is not None:
        return item._replace(labels=_labels(together))
    boxes = row["boxes"] and tuple(Box(*box) for box in json.loads(row["boxes"]))
    return item._replace(label=row["label"], boxes=boxes)


def _labels(rows: list[Row]) -> tuple[str | None, ...]:
    said = {row["sample"]: row["label"] for row in rows}
    if (last := max(said)) >= MOST_SAMPLES:
        raise DatasetError(f"a label is of sample {last} of {rows[0]['path']}")
    return tuple(map(said.get, range(last + 1)))
