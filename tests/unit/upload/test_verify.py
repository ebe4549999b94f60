"""``edge-verify`` on a store that upload has filled, in which differences are then planted."""

import asyncio
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from edge_common.messages import Event, HistoryMessage, Item, ItemHistory, KeptMessage
from edge_upload.history.courier import PATIENCE
from edge_upload.verify.cli import main
from support.upload import MODEL, STAMP, Bench, HurriedClock, item, predicted, predictions, until_history

LEDGER = "a" * 32
DONE = [item(name) for name in "abcd"]
BAD, WAITING = item("bad"), item("waiting")
LIVES = {
    **{one.id: ("seen", "sent", "done") for one in DONE},
    BAD.id: ("seen", "sent", "quarantined"),
    WAITING.id: ("seen", "sent"),
}
OLD = 1_700_000_000.0


def told() -> HistoryMessage:
    """What ingest says of all items."""
    numbers = iter(range(1, 100))

    def history(one: Item) -> ItemHistory:
        about = {"code": "DECODE_FAILED", "stage": "transform", "reason": "No."}
        events = tuple(
            Event(number=next(numbers), event=event, attempt=1, at=OLD, **(about if event == "quarantined" else {}))
            for event in LIVES[one.id]
        )
        return ItemHistory(**one.model_dump(exclude={"attempt", "captured"}), events=events)

    return HistoryMessage(ledger=LEDGER, items=tuple(map(history, [*DONE, BAD, WAITING])))


async def fill(root: Path, device: str = "edge 7") -> Path:
    bench = Bench(root, device)
    bench.clock = HurriedClock()
    bench.batch("b", np.ones((2 * len(DONE), 4), np.float32))
    async with bench.running(shardRows=2, features="all") as hub:
        hub.deliver("history", told().encode())
        hub.deliver("records", predictions(*[predicted(one, first=2 * n, rows=2) for n, one in enumerate(DONE)]))
        await bench.uploaded(DONE)
        await until_history(bench)
    for file in bench.cloud.rglob("*.parquet"):
        os.utime(file, (OLD, OLD))
    return bench.cloud


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return asyncio.run(fill(tmp_path_factory.mktemp("filled")))


@pytest.fixture
def store(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filled, tmp_path / "store"))


def verify(store: Path, *arguments: str) -> tuple[int, list[dict[str, Any]]]:
    """The status, and what was found."""
    result = CliRunner().invoke(main, ["--store", str(store), "--json", *arguments])
    lines = [json.loads(line) for line in result.output.splitlines()]
    assert lines[-1]["clean"] == (result.exit_code == 0)
    return result.exit_code, [line for line in lines if line["type"] == "finding"]


def differences(store: Path, *arguments: str) -> set[tuple[str, str]]:
    """Kind of each difference, and its file's name."""
    status, found = verify(store, *arguments)
    found = [one for one in found if one["kind"] not in {"pending", "quarantined"}]
    real = {(one["kind"], one["about"].rpartition("/")[2]) for one in found}
    assert status == bool(real)
    return real


def shards(store: Path, kind: str = "records") -> list[Path]:
    return sorted(store.glob(f"{kind}/**/*.parquet"))


def rewrite(file: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    pq.write_table(change(pq.ParquetFile(file).read()), file)


@pytest.mark.parametrize("arguments", [[], ["--deep"]])
def test_a_store_that_is_as_the_ledger_says_is_clean(store: Path, arguments: list[str]) -> None:
    status, found = verify(store, *arguments)
    assert status == 0
    assert {(one["kind"], one["about"]) for one in found} == {("pending", WAITING.path), ("quarantined", BAD.path)}
    assert "DECODE_FAILED: No." in [one["detail"] for one in found]
    assert len(shards(store)) > 1


def test_it_says_so_to_people(store: Path) -> None:
    result = CliRunner().invoke(main, ["--store", str(store)])
    assert result.exit_code == 0
    assert "edge 7  2026-01-01      6     4" in result.output
    assert result.output.endswith("The store holds what the ledger says.\n")


@pytest.mark.parametrize("kind", ["records", "features"])
def test_a_deleted_shard_is_missing(store: Path, kind: str) -> None:
    gone = shards(store, kind)[0]
    gone.unlink()
    assert differences(store) == {("missing", gone.name)}


def test_a_truncated_shard_differs(store: Path) -> None:
    file = shards(store)[0]
    os.truncate(file, file.stat().st_size - 1)
    assert differences(store) == {("differing", file.name)}


def test_a_flipped_byte_is_found_by_looking_deep(store: Path) -> None:
    file = shards(store)[0]
    data = bytearray(file.read_bytes())
    data[10] ^= 1
    file.write_bytes(data)
    assert differences(store) == set()
    assert ("differing", file.name) in differences(store, "--deep")


def test_an_extra_file_is_extra_once_it_is_old_enough_to_be_in_the_ledger(store: Path) -> None:
    extra = shards(store)[0].with_name(f"{'0' * 64}.parquet")
    extra.write_bytes(b"?")
    assert differences(store) == set()
    assert ("pending", f"records/device=edge%207/date=2026-01-01/{extra.name}") in {
        (one["kind"], one["about"]) for one in verify(store)[1]
    }
    os.utime(extra, (OLD, OLD))
    assert differences(store) == {("extra", extra.name)}


def test_a_file_of_another_name_is_extra_at_once(store: Path) -> None:
    extra = shards(store)[0].with_name("über.txt")
    extra.write_text("?")
    assert differences(store) == {("extra", extra.name)}
    assert ("extra", extra.name) in differences(store, "--deep")


def test_a_renamed_shard_is_missing_and_extra_and_deep_tells_which_it_is(store: Path) -> None:
    file = shards(store)[0]
    other = file.rename(file.with_name(f"{'0' * 64}.parquet"))
    assert differences(store) == {("missing", file.name), ("extra", other.name)}
    _, found = verify(store, "--deep")
    assert any(one["kind"] == "missing" and other.name in one["detail"] for one in found)


@pytest.mark.parametrize("kind", ["records", "features"])
def test_rows_that_lack_in_a_shard_are_missing(store: Path, kind: str) -> None:
    file = shards(store, kind)[0]
    rewrite(file, lambda table: table.slice(1))
    assert {kind for kind, _ in differences(store, "--deep")} == {"missing", "differing"}


def test_rows_that_a_shard_has_twice_are_extra(store: Path) -> None:
    file = shards(store)[0]
    rewrite(file, lambda table: pa.concat_tables([table.slice(0, 1), table]))
    assert {kind for kind, _ in differences(store, "--deep")} == {"extra", "differing"}


def test_a_missing_part_of_the_history_is_a_gap(store: Path) -> None:
    for file in shards(store, "_ledger"):
        rewrite(file, lambda table: table.filter((pc.field("number") != 2) | (pc.field("source") != LEDGER)))
    assert ("gap", f"history {LEDGER}") in differences(store)


def test_a_deleted_ledger_shard_is_noticed(store: Path) -> None:
    for number, file in enumerate(shards(store, "_ledger")):
        copy = shutil.copytree(store, store.with_name(f"copy-{number}"))
        (copy / file.relative_to(store)).unlink()
        assert differences(copy), file


def test_a_torn_ledger_shard_differs_and_hides_no_other(store: Path) -> None:
    file = shards(store, "_ledger")[0]
    file.write_bytes(b"PAR1")
    assert ("differing", file.name) in differences(store)


def test_events_that_are_stored_twice_count_once(store: Path) -> None:
    rewrite(shards(store, "_ledger")[0], lambda table: pa.concat_tables([table, table]))
    assert {kind for kind, _ in differences(store)} == {"differing"}


def test_devices_are_told_apart(store: Path, tmp_path: Path) -> None:
    other = asyncio.run(fill(tmp_path / "other", "edge-8"))
    shutil.copytree(other, store, dirs_exist_ok=True)
    assert differences(store) == set()
    strayed = shards(store)[0]
    copy = shutil.copy2(strayed, store / "records/device=edge-8/date=2026-01-01/")
    assert differences(store) == set() if Path(copy).name == shards(other)[0].name else {("extra", strayed.name)}
    shards(store)[0].unlink()
    assert {kind for kind, _ in differences(store, "--device", "edge 7")} == {"missing"}
    assert {kind for kind, _ in differences(store, "--device", "edge-8")} <= {"extra"}


def test_a_file_is_traced_by_path_and_by_id(store: Path) -> None:
    for what in (DONE[0].path, DONE[0].id):
        result = CliRunner().invoke(main, ["--store", str(store), "--json", "trace", what])
        assert result.exit_code == 0
        traced = json.loads(result.output)
        assert [event["event"] for event in traced["events"]] == [
            "seen",
            "sent",
            "done",
            "accepted",
            "stored",
            "stored",
        ]
        held = traced["events"][-1]
        assert (held["model_digest"], held["contract_stamp"], held["there"]) == (MODEL.digest, STAMP, True)
        assert (store / held["object"]).stem == held["object_sha256"]
    people = CliRunner().invoke(main, ["--store", str(store), "trace", BAD.path])
    assert "quarantined  ingest: attempt 1, code DECODE_FAILED, by transform" in people.output


def test_what_the_ledger_does_not_know_cannot_be_traced(store: Path) -> None:
    result = CliRunner().invoke(main, ["--store", str(store), "trace", "nothing.png"])
    assert (result.exit_code, "does not know 'nothing.png'" in result.output) == (1, True)


def test_a_store_without_a_ledger_cannot_be_judged(tmp_path: Path) -> None:
    for arguments in (["--store", str(tmp_path)], ["--store", str(tmp_path / "nowhere")], []):
        assert CliRunner().invoke(main, arguments).exit_code == 2


async def test_what_ingest_is_told_is_kept_is_kept(tmp_path: Path) -> None:
    """Whatever becomes of the process after that; and sent again, it is stored once."""
    bench = Bench(tmp_path)
    async with bench.running(shardSeconds=3600) as hub:
        hub.deliver("history", told().encode())
        kept = KeptMessage.decode((await hub.sent_to("kept"))[0].body)
        assert (kept.ledger, kept.numbers) == (LEDGER, tuple(range(1, 18)))
    bench.clock = HurriedClock()
    async with bench.running(shardSeconds=0.01) as hub:
        hub.deliver("history", told().encode())
        await hub.sent_to("kept")
        await until_history(bench)
    rows = [row for file in shards(bench.cloud, "_ledger") for row in pq.ParquetFile(file).read().to_pylist()]
    assert {row["number"] for row in rows} == set(range(1, 18))
    assert PATIENCE > 1
