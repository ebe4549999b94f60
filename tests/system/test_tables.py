"""Tables through the whole suite: every row is a sample, and every sample is in the cloud share."""

import asyncio
import base64
import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds
import pytest

from edge_examples.packages import publish
from edge_examples.suite import Folders, SuiteError, running
from edge_simulator.control.client import ControlClient
from support import fragile, tables
from support.suite import kill, quarantined, template_with

pytestmark = pytest.mark.system

USER = '"User": "10002:10000",'
"""What the template says of transform alone."""

LOADS = {name: tables.loads(rows, seed) for seed, (name, rows) in enumerate({"a": 1, "b": 1000, "c": 20_000}.items())}
GOOD = {
    "one.csv": ("a", tables.csv(LOADS["a"])),
    "many.csv": ("c", tables.csv(LOADS["c"])),
    "site/hours.jsonl": ("b", tables.json_lines(LOADS["b"])),
    "site/hours.parquet": ("b", tables.parquet(LOADS["b"])),
}
BAD = {
    "bad/columns.csv": ("WRONG_COLUMNS", b"hour,note\n1,x\n"),
    "bad/state.csv": ("MISSING_VALUE", b"load,state\n1,broken\n"),
    "bad/text.csv": ("DECODE_FAILED", b"load,state\nhigh,idle\n"),
    "bad/late.csv": ("DECODE_FAILED", tables.csv(LOADS["c"]) + b"1,2\n"),
    "bad/head.csv": ("EMPTY", b"load,state\n"),
    "bad/picture.csv": ("UNSUPPORTED", b"\x89PNG\r\n\x1a\n"),
    "bad/half.parquet": ("DECODE_FAILED", tables.parquet(LOADS["b"])[:5000]),
}


def stored(cloud: Path) -> dict[str, list[str]]:
    """The labels of each file's rows, in their order; fails where a row is there twice."""
    found = ds.dataset(sorted(cloud.rglob("*.parquet")), format="parquet")
    rows = found.to_table(columns=["path", "part", "row", "label"]).sort_by(
        [("path", "ascending"), ("part", "ascending"), ("row", "ascending")]
    )
    labels: dict[str, list[str]] = {}
    seen = set()
    for path, part, row, label in zip(*(column.to_pylist() for column in rows.columns), strict=True):
        assert (path, part, row) not in seen
        seen.add((path, part, row))
        labels.setdefault(path, []).append(label)
    return labels


def expected(loads: npt.NDArray[np.float64]) -> list[str]:
    return ["busy" if load > tables.BUSY else "quiet" for load in loads]


@pytest.mark.parametrize("killed", [None, "transform", "inference"])
async def test_every_row_is_stored_once(tmp_path: Path, killed: str | None) -> None:
    folders = Folders(tmp_path / "run", tmp_path / "models")
    contract = tables.contract()
    ref = publish(tables.model(contract), contract, folders.models, folders.trust, "hours", "1")
    async with running(folders) as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": 5})
        await suite.swap({"schema": 1, "name": "hours", "version": "1", "ref": ref, "requestId": "1"})
        for path, (_, content) in (GOOD | BAD).items():
            file = folders.share / path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        if killed:
            await kill(suite, killed)
        await suite.until_settled(len(GOOD) + len(BAD))
    assert {path: code for path, (code, _) in quarantined(folders.share).items()} == {
        path: code for path, (code, _) in BAD.items()
    }
    labels = stored(folders.cloud)
    assert labels.keys() == GOOD.keys()
    for path, (name, _) in GOOD.items():
        assert labels[path] == expected(LOADS[name])


async def test_a_file_that_brings_down_its_reader_ends_though_no_other_comes(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "run", tmp_path / "models")
    contract = tables.contract()
    ref = publish(tables.model(contract), contract, folders.models, folders.trust, "hours", "1")
    program = json.dumps([sys.executable, fragile.__file__])
    manifest = template_with(tmp_path, {USER: f'{USER} "Entrypoint": {program},'})
    async with running(folders, manifest=manifest) as suite:
        await suite.edit_twin("ingest", {"leaseSeconds": 3})
        await suite.swap({"schema": 1, "name": "hours", "version": "1", "ref": ref, "requestId": "1"})
        (folders.share / "bad.csv").write_bytes(b"load,state,note\n1,idle," + fragile.CRASH + b"\n")
        await suite.until_settled(1)
    assert [code for code, _ in quarantined(folders.share).values()] == ["DECODER_CRASHED"]


async def test_a_table_is_asked_about_and_a_candidate_sees_live_ones(tmp_path: Path) -> None:
    """Both go to transform and back; the candidate takes batches of its own, and says the contrary."""
    folders = Folders(tmp_path / "run", tmp_path / "models")
    contract, contrary = tables.contract(), tables.contract(batch=10)
    contrary = contrary.model_copy(update={"output": contrary.output.model_copy(update={"labels": ("busy", "quiet")})})
    refs = [
        publish(tables.model(made_for), made_for, folders.models, folders.trust, "hours", version)
        for version, made_for in (("1", contract), ("2", contrary))
    ]
    first, second = (
        {"schema": 1, "name": "hours", "version": str(number), "ref": ref, "requestId": str(number)}
        for number, ref in enumerate(refs, 1)
    )
    async with running(folders) as suite, ControlClient.connect(folders.state) as control:
        await suite.swap(first)
        payload = {"file": base64.b64encode(tables.csv(LOADS["b"])).decode()}
        answer = await control.call("inference", "predict", payload, 30)
        assert (answer["status"], answer["payload"]["more"]) == (200, True)
        assert [row["label"] for row in answer["payload"]["predictions"]] == expected(LOADS["b"])[:64]
        shadow = {"shadow": {"items": 5, "maxSeconds": 100, "share": 1}, "gate": {"minAgreement": 0.5}}
        swapping = asyncio.create_task(suite.swap(second | shadow))
        number = 0
        while not swapping.done():
            (folders.share / f"{number}.csv").write_bytes(tables.csv(tables.loads(100, seed=number)))
            number += 1
            await suite.pause()
        with pytest.raises(SuiteError, match="DISAGREEMENT"):
            await swapping
