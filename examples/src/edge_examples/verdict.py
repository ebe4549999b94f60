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

COLUMNS = ("id", "path", "label", "model_version", "stored_at")


@dataclass(frozen=True)
class Evidence:
    """What was found after a run.

    Attributes:
        records: The rows of all shards in the cloud share: ``COLUMNS``.
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
        predicted: Files with a prediction in the cloud share.
        quarantined: Files in quarantine.
        uploaded: Items that the ledger has as uploaded.
        lost: Files with neither.
        duplicated: Records beyond one a file.
        wrong: What was settled otherwise than it should be, a sentence each.
        accuracy: Of the predictions, against the labels.
        by_version: Predictions by model version.
        latencies_ms: From file closed to result durable, one a predicted file.
    """

    files: int
    predicted: int
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


def collect(share: Path, cloud: Path, settled: int) -> Evidence:
    """Read the evidence from the shares."""
    shards = sorted(cloud.glob("records/**/*.parquet"))
    empty = pa.table({name: [] for name in COLUMNS})
    table = ds.dataset(shards, format="parquet").to_table(columns=list(COLUMNS)) if shards else empty
    reasons = [json.loads(path.read_text()) for path in (share / ".edge/quarantine").rglob("*.reason.json")]
    return Evidence(table.to_pylist(), {reason["path"]: reason for reason in reasons}, settled)


def judge(drops: Sequence[Drop], closed: Mapping[str, float], evidence: Evidence) -> Verdict:
    """Compare what was found with what should be.

    Args:
        drops: The files.
        closed: When each was complete, in seconds since the epoch, by path.
        evidence: What was found.
    """
    by_path = {record["path"]: record for record in evidence.records}
    accounted = by_path.keys() | evidence.quarantined.keys()
    labelled = [drop for drop in drops if drop.label is not None and drop.path in by_path]
    right = sum(by_path[drop.path]["label"] == drop.label for drop in labelled)
    return Verdict(
        files=len(drops),
        predicted=len(by_path),
        quarantined=len(evidence.quarantined),
        uploaded=evidence.settled,
        lost=sum(drop.path not in accounted for drop in drops),
        duplicated=len(evidence.records) - len(by_path),
        wrong=tuple(_wrong(drops, by_path, evidence)),
        accuracy=right / len(labelled) if labelled else float("nan"),
        by_version=dict(sorted(Counter(record["model_version"] for record in by_path.values()).items())),
        latencies_ms=tuple(
            (record["stored_at"].timestamp() - closed[path]) * 1000
            for path, record in by_path.items()
            if path in closed
        ),
    )


def _wrong(drops: Sequence[Drop], records: Mapping[str, Any], evidence: Evidence) -> list[str]:
    found = []
    for drop in drops:
        reason = evidence.quarantined.get(drop.path)
        code = reason["code"] if reason else None
        if code != drop.code:
            found.append(f"{drop.path}: quarantined as {code}, expected {drop.code}")
        if drop.code and drop.path in records:
            found.append(f"{drop.path}: predicted, expected in quarantine as {drop.code}")
    strays = (records.keys() | evidence.quarantined.keys()) - {drop.path for drop in drops}
    found += [f"{path}: nobody dropped this file" for path in sorted(strays)]
    if evidence.settled != len(records):
        found.append(f"the ledger has {evidence.settled} items as uploaded, the cloud share {len(records)}")
    return found
