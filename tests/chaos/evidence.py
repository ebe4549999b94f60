"""Reads what is there after a run."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pyarrow.dataset as ds

from chaos.found import Entry, Evidence, File, Record

PRIVATE = ".edge"
REASON = ".reason.json"


def read_ledger(folder: Path) -> list[Entry]:
    """All items of ingest's ledger, also while it is written, or yet to be made."""
    file = folder / "ledger.db"
    if not file.exists():
        return []
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as ledger:
        made = ledger.execute("PRAGMA user_version").fetchone()[0]
        return [Entry(*row) for row in ledger.execute("SELECT id, path, sha256, state FROM item")] if made else []


def read_all(share: Path, store: Path, ledger: Path) -> Evidence:
    """Everything; of a suite that has stopped."""
    private = share / PRIVATE
    return Evidence(
        ledger=read_ledger(ledger),
        records=_records(store),
        spoilt=[path for path in _files(store / "records") if _sha256(store / "records" / path) != Path(path).stem],
        share=[File(path, _sha256(share / path)) for path in _files(share) if not path.startswith(f"{PRIVATE}/")],
        archive=[
            File(path.partition("/")[2], _sha256(private / "archive" / path)) for path in _files(private / "archive")
        ],
        quarantine=dict(_quarantined(private / "quarantine")),
        halfway=list(_files(private / "retiring")),
    )


def _records(store: Path) -> list[Record]:
    files = sorted(store.glob("records/**/*.parquet"))
    if not files:
        return []
    columns = ["id", "path", "content_sha256", "model_version", "label"]
    table = ds.dataset(files, format="parquet").to_table(columns=columns)
    return [Record(*row) for row in zip(*(table[name].to_pylist() for name in columns), strict=True)]


def _quarantined(folder: Path) -> Iterator[tuple[File, str]]:
    for path in _files(folder):
        if path.endswith(REASON):
            reason = json.loads((folder / path).read_text())
            yield File(reason["path"], _sha256(folder / path.removesuffix(REASON))), reason["code"]


def _files(folder: Path) -> Iterator[str]:
    """Relative paths of all files below a folder, which may not be there."""
    return (str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
