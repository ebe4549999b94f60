"""The parts that the loop judges by."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from rich.console import Console

from edge_examples.drops import Drop
from edge_examples.loop import commands, store
from edge_examples.loop.pictures import FIRST, pictures, truth
from edge_examples.loop.report import Report
from edge_examples.suite import SuiteError


def written(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def shard(cloud: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    file = cloud / "records" / "device=edge" / f"{name}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist([*rows]), file)


def predicted(path: str, label: str, version: str) -> Mapping[str, Any]:
    return {"path": path, "label": label, "model_version": version, "sampled": ["drift"]}


def test_those_who_label_say_what_they_know_by_the_pictures_bytes(tmp_path: Path) -> None:
    cloud, file = tmp_path / "cloud", tmp_path / "labels.csv"
    known = truth([Drop("line/1.png", b"a one", truth=("1",)), Drop("line/2.png", b"a two", truth=("2",))])
    written(cloud / "raw/device=edge/date=2026-01-01/aa.png", b"a two")
    written(cloud / "raw/device=edge/date=2026-01-01/bb.png", b"held out")
    assert store.label(cloud, file, known) == 1
    assert file.read_text().split() == ["path,label", "raw/device=edge/date=2026-01-01/aa.png,2"]


def test_accuracy_is_of_what_one_version_said_and_what_it_has_not_seen_is_wrong(tmp_path: Path) -> None:
    shard(tmp_path, "collected", [{"path": "a.png", "features": [0.5]}])
    shard(
        tmp_path,
        "predicted",
        [predicted("a.png", "1", "1"), predicted("b.png", "1", "1"), predicted("c.png", "3", "2")],
    )
    rows = store.records(tmp_path)
    drops = [
        Drop(f"{name}.png", b"", truth=(label,)) for name, label in (("a", "1"), ("b", "2"), ("c", "3"), ("d", "4"))
    ]
    assert store.accuracy(rows, drops, "1") == 0.25
    assert store.accuracy(rows, drops[2:], "2") == 0.5


def test_nobody_trains_on_what_is_held_out_and_the_camera_changes_after_the_first_pictures() -> None:
    every = pictures()
    taught = [*every.first, *every.noticed, *every.hard]
    assert len(truth(taught)) == len(taught)
    assert truth(taught).keys().isdisjoint(truth([*every.held_out, *every.traffic]))
    light = [float(np.asarray(Image.open(io.BytesIO(drop.content)).convert("L")).mean()) for drop in taught]
    assert max(light[:FIRST]) < 128 < np.median(light[FIRST:])


def good() -> Report:
    return Report(
        0.5, 0.9, refused_by_gate=True, rolled_back=True, seconds={"all": 60.0}, steps={"next": {"train": 1.5}}
    )


def test_a_report_ends_with_one_line_of_json() -> None:
    said = io.StringIO()
    good().publish(Console(file=said))
    assert json.loads(said.getvalue().splitlines()[-1]) == {
        "ok": True,
        "accuracy_before": 0.5,
        "accuracy_after": 0.9,
        "refused_by_gate": True,
        "rolled_back": True,
        "seconds": {"all": 60.0, "next.train": 1.5},
    }


@pytest.mark.parametrize("missing", ["refused_by_gate", "rolled_back"])
def test_nothing_is_ok_without_refusal_and_return(missing: str) -> None:
    report = good()
    setattr(report, missing, False)
    assert not report.ok


def test_one_complaint_suffices() -> None:
    report = good()
    lost: list[str] = []
    assert report.demand("nothing was lost", not lost, report.rolled_back)
    assert report.ok
    assert not report.demand("something was lost", bool(lost), report.rolled_back)
    assert (report.ok, report.complaints) == (False, ["something was lost"])


async def test_a_command_that_fails_is_told_with_what_it_complained_of() -> None:
    done = await commands.run({"SAID": "yes"}, "python", "-c", "import os; print(os.environ['SAID'])")
    assert done == (0, ["yes"])
    assert (await commands.run({}, "python", "-c", "raise SystemExit(3)", statuses=frozenset({0, 3}))).status == 3
    with pytest.raises(SuiteError, match=r"ended with 1: no such thing"):
        await commands.run({}, "python", "-c", "raise SystemExit('no such thing')")
