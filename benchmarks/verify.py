"""What `edge-verify` takes for a store of many items: time, and memory.

The store is a folder, made here: results of one row an item, five events of each, and the originals of a tenth of them.
The last line is one JSON object:

items, originals   what is in the store
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
import stopping

from edge_upload.history import shards

VERIFY: Final = Path(sys.executable).with_name("edge-verify")
DAY: Final = 100_000
"""Items in a day; as many rows are in a shard."""

ORIGINALS: Final = 10_000
"""Of them, those whose originals are in the store, too."""

LEDGER: Final = "a" * 32
SPOOL: Final = "b" * 32
CONTENT: Final = b"?" * 1000
CONTENT_SHA256: Final = hashlib.sha256(CONTENT).hexdigest()
THEN: Final = 1_700_000_000.0


def main() -> None:
    """Make the store, run the command on it, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=1_000_000, help=f"a multiple of {DAY}")
    items: int = parser.parse_args().items
    stopping.tidily()
    with tempfile.TemporaryDirectory(prefix="edge-bench-verify-") as folder:
        store = Path(folder)
        for number in range(items // DAY):
            fill(store, number)
        figures: dict[str, float] = {"items": items, "originals": items // DAY * ORIGINALS}
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


def fill(store: Path, day: int) -> None:
    """Write a day of the store."""
    date_ = (date(2024, 1, 1) + timedelta(day)).isoformat()
    items = range(day * DAY, (day + 1) * DAY)
    ids = [hashlib.sha256(path_of(item).encode()).hexdigest()[:32] for item in items]
    rows = {"id": ids, **{name: pa.array([1] * DAY, pa.int32()) for name in ("attempt", "part", "row")}}
    for about in events(day, items, ids, write(store, "records", date_, pa.table(rows)), originals(store, date_, ids)):
        columns = {name: column(about, name) for name in shards.COLUMNS}
        write(store, "_ledger", date_, pa.table(columns))


def originals(store: Path, day: str, ids: list[str]) -> list[str]:
    """Write the originals of a day; gives their names."""
    names = [f"raw/device=edge-1/date={day}/{item}.jpg" for item in ids[:ORIGINALS]]
    (store / names[0]).parent.mkdir(parents=True)
    for name in names:
        (store / name).write_bytes(CONTENT)
        os.utime(store / name, (THEN, THEN))
    return names


def events(day: int, items: range, ids: list[str], results: Path, raw: list[str]) -> Iterator[dict[str, Any]]:
    """The events of a day, one kind after another, each as columns; a column of one value is that value."""
    shard = {"object": f"records/{results.parent.parent.name}/{results.parent.name}/{results.name}", "rows": 1}
    shard |= {"object_sha256": results.stem, "object_bytes": results.stat().st_size}
    copied = {"object": raw, "object_sha256": CONTENT_SHA256, "object_bytes": len(CONTENT)}
    files = {"path": [path_of(item) for item in items], "size": len(CONTENT), "content_sha256": CONTENT_SHA256}
    ledger = [{"module": "ingest", "event": event, "id": ids, **files} for event in ("seen", "sent", "done")]
    spool: list[dict[str, Any]] = [{"event": "accepted", "id": ids}, {"event": "stored", "id": ids, **shard}]
    spool.append({"event": "stored", "id": ids[:ORIGINALS], **copied})
    yield from numbered(LEDGER, day, ledger)
    yield from numbered(SPOOL, day, [{"module": "upload", **about} for about in spool])


def numbered(source: str, day: int, kinds: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Number events as their source does, day after day without gaps."""
    first = 1 + day * sum(len(about["id"]) for about in kinds)
    for order, about in enumerate(kinds):
        end = first + len(about["id"])
        yield {**about, "source": source, "number": range(first, end), "at": THEN + day + order / 10, "attempt": 1}
        first = end


def column(about: dict[str, Any], name: str) -> Any:
    """A column of the ledger."""
    values = about.get(name)
    return pa.array(values if isinstance(values, (list, range)) else [values] * len(about["id"]), shards.COLUMNS[name])


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
