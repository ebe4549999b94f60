"""What `edge-verify` takes for a store of many items: time, and memory.

The store is a folder, made here: results of one row an item, and five events of each. The last line is one JSON object:

items, events      what is in the store
listing_s          edge-verify by listing, in seconds; `deep_s` with --deep, `trace_s` for the way of one file
listing_cpu_s      the processor's part of it; `deep_cpu_s` and `trace_cpu_s` likewise
listing_mb         the most memory that it had resident, in MB (10^6 bytes); `deep_mb` and `trace_mb` likewise
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from edge_upload.history import shards

VERIFY: Final = Path(sys.executable).with_name("edge-verify")
DAY: Final = 100_000
"""Items in a day; as many rows are in a shard."""

LEDGER: Final = "a" * 32
SPOOL: Final = "b" * 32
INGEST_EVENTS: Final = ("seen", "sent", "done")
UPLOAD_EVENTS: Final = ("accepted", "stored")
THEN: Final = 1_700_000_000.0


def main() -> None:
    """Make the store, run the command on it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000, help=f"a multiple of {DAY}")
    items: int = parser.parse_args().items
    with tempfile.TemporaryDirectory(prefix="edge-bench-verify-") as folder:
        store = Path(folder)
        for number in range(items // DAY):
            fill(store, number)
        figures: dict[str, float] = {"items": items, "events": items * len(INGEST_EVENTS + UPLOAD_EVENTS)}
        for name, arguments in {"listing": [], "deep": ["--deep"], "trace": ["trace", path_of(items // 2)]}.items():
            figures |= {f"{name}_{what}": value for what, value in measured("--store", str(store), *arguments).items()}
    print(json.dumps(figures))


def measured(*arguments: str) -> dict[str, float]:
    """Run the command; gives seconds, those of the processor, and MB.

    Raises:
        SystemExit: It found something.
    """
    started = time.monotonic()
    process = subprocess.Popen([VERIFY, *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"edge-verify {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return {
        "s": round(time.monotonic() - started, 1),
        "cpu_s": round(usage.ru_utime + usage.ru_stime, 1),
        "mb": round(usage.ru_maxrss * 1024 / 1e6),
    }


def fill(store: Path, number: int) -> None:
    """Write a day of the store."""
    day = (date(2024, 1, 1) + timedelta(number)).isoformat()
    items = range(number * DAY, (number + 1) * DAY)
    ids = [hashlib.sha256(path_of(item).encode()).hexdigest()[:32] for item in items]
    rows = {"id": ids, **{name: pa.array([1] * DAY, pa.int32()) for name in ("attempt", "part", "row")}}
    results = write(store, "records", day, pa.table(rows))
    place: dict[str, Any] = {"object": str(results.relative_to(store)), "object_sha256": results.stem}
    place |= {"object_bytes": results.stat().st_size, "rows": 1}
    for about in events(number, items, ids, place):
        write(store, "_ledger", day, pa.table({name: column(about, name) for name in shards.COLUMNS}))


def events(number: int, items: range, ids: list[str], place: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The events of a day, one kind after another, each as columns; a column of one value is that value."""
    for source, module, names in ((LEDGER, "ingest", INGEST_EVENTS), (SPOOL, "upload", UPLOAD_EVENTS)):
        for order, event in enumerate(names):
            first = (number * len(names) + order) * DAY + 1
            yield {
                "source": source,
                "number": range(first, first + DAY),
                "module": module,
                "event": event,
                "at": THEN + number + order / 10,
                "id": ids,
                "attempt": 1,
                **({"path": [path_of(item) for item in items], "size": 1000} if module == "ingest" else {}),
                **({"content_sha256": ids, "generation": 0} if module == "ingest" else {}),
                **(place if event == "stored" else {}),
            }


def column(about: dict[str, Any], name: str) -> Any:
    """A column of the ledger."""
    values = about.get(name)
    return pa.array(values if isinstance(values, (list, range)) else [values] * DAY, shards.COLUMNS[name])


def write(store: Path, kind: str, day: str, table: Any) -> Path:
    """Write a shard under its own hash, long ago."""
    folder = store / kind / "device=edge-1" / f"date={day}"
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / "staged"
    pq.write_table(table, staged, compression="zstd", row_group_size=shards.ROW_GROUP)
    path = staged.rename(folder / f"{hashlib.sha256(staged.read_bytes()).hexdigest()}.parquet")
    os.utime(path, (THEN, THEN))
    return path


def path_of(item: int) -> str:
    """The path of an item on the device's share."""
    return f"line-{item % 7}/2024/camera-{item % 31:02d}/part-{item:09d}.jpg"


if __name__ == "__main__":
    main()
