"""What became of every file, judged against what should have."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds

from edge_examples.drops import Drop
from edge_examples.example import IsRight, has_label

COLUMNS = ("id", "path", "part", "row", "model_version", "stored_at")


@dataclass(frozen=True)
class Evidence:
    """What was found after a run.

    Attributes:
        records: The rows of all shards in the cloud share: ``COLUMNS``, and those that the example looks at.
        quarantined: What each ``.reason.json`` says, by the file's path on the share.
        settled: Items that ingest's ledger has settled as uploaded.
    """

    records: Sequence[Mapping[str, Any]]
    quarantined: Mapping[str, Mapping[str, Any]]
    settled: int


@dataclass(frozen=True)
class Verdict:
    """The run's result.

    Attributes:
        files: Files dropped.
        predicted: Files with predictions in the cloud share.
        samples: Predictions, of all files.
        quarantined: Files in quarantine.
        uploaded: Items that the ledger has as uploaded.
        lost: Files with neither.
        duplicated: Records beyond one a sample.
        wrong: What was settled otherwise than it should be, a sentence each.
        accuracy: Of the predictions, against the truth.
        by_version: Predicted files by model version.
        latencies_ms: From file closed to result durable, one a predicted file.
    """

    files: int
    predicted: int
    samples: int
    quarantined: int
    uploaded: int
    lost: int
    duplicated: int
    wrong: tuple[str, ...]
    accuracy: float
    by_version: Mapping[str, int]
    latencies_ms: tuple[float, ...]

    @property
    def clean(self) -> bool:
        """Nothing lost, nothing duplicated, nothing settled wrongly."""
        return not (self.lost or self.duplicated or self.wrong)

    def latency_ms(self, percentile: float) -> float:
        """A percentile of the latencies."""
        return float(np.percentile(self.latencies_ms, percentile)) if self.latencies_ms else float("nan")


def collect(share: Path, cloud: Path, settled: int, columns: Sequence[str] = ("label",)) -> Evidence:
    """Read the evidence from the shares.

    Args:
        share: The local one.
        cloud: The cloud share.
        settled: Items that ingest's ledger has settled as uploaded.
        columns: Of the predictions, beside ``COLUMNS``.
    """
    columns = [*COLUMNS, *columns]
    shards = sorted(cloud.glob("records/**/*.parquet"))
    empty = pa.table({name: [] for name in columns})
    table = ds.dataset(shards, format="parquet").to_table(columns=columns) if shards else empty
    reasons = [json.loads(path.read_text()) for path in (share / ".edge/quarantine").rglob("*.reason.json")]
    return Evidence(table.to_pylist(), {reason["path"]: reason for reason in reasons}, settled)


def judge(
    drops: Sequence[Drop], closed: Mapping[str, float], evidence: Evidence, is_right: IsRight = has_label
) -> Verdict:
    """Compare what was found with what should be.

    Args:
        drops: The files.
        closed: When each was complete, in seconds since the epoch, by path.
        evidence: What was found.
        is_right: Compares a prediction with the truth.
    """
    by_path = _by_path(evidence.records)
    accounted = by_path.keys() | evidence.quarantined.keys()
    samples = sum(map(len, by_path.values()))
    right = [
        is_right(record, truth)
        for drop in drops
        for record, truth in zip(by_path.get(drop.path, ()), drop.truth, strict=False)
    ]
    return Verdict(
        files=len(drops),
        predicted=len(by_path),
        samples=samples,
        quarantined=len(evidence.quarantined),
        uploaded=evidence.settled,
        lost=sum(drop.path not in accounted for drop in drops),
        duplicated=len(evidence.records) - samples,
        wrong=tuple(_wrong(drops, by_path, evidence)),
        accuracy=float(np.mean(right)) if right else float("nan"),
        by_version=dict(sorted(Counter(records[0]["model_version"] for records in by_path.values()).items())),
        latencies_ms=tuple(
            (max(record["stored_at"] for record in records).timestamp() - closed[path]) * 1000
            for path, records in by_path.items()
            if path in closed
        ),
    )


def _by_path(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Each file's records in the order of its samples, one a sample."""
    distinct = {(record["path"], record["part"], record["row"]): record for record in records}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for key in sorted(distinct):
        found.setdefault(key[0], []).append(distinct[key])
    return found


def _wrong(drops: Sequence[Drop], records: Mapping[str, Sequence[Mapping[str, Any]]], evidence: Evidence) -> list[str]:
    found = []
    for drop in drops:
        reason = evidence.quarantined.get(drop.path)
        code = reason["code"] if reason else None
        if code != drop.code:
            found.append(f"{drop.path}: quarantined as {code}, expected {drop.code}")
        if drop.code and drop.path in records:
            found.append(f"{drop.path}: predicted, expected in quarantine as {drop.code}")
        if drop.truth and drop.path in records and len(records[drop.path]) != len(drop.truth):
            found.append(f"{drop.path}: {len(records[drop.path])} samples predicted, expected {len(drop.truth)}")
    strays = (records.keys() | evidence.quarantined.keys()) - {drop.path for drop in drops}
    found += [f"{path}: nobody dropped this file" for path in sorted(strays)]
    if evidence.settled != len(records):
        found.append(f"the ledger has {evidence.settled} items as uploaded, the cloud share {len(records)}")
    return found
