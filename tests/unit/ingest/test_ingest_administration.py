"""What an administrator does to a running module, by direct methods."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge_common.messages import Item, ReceiptStatus
from unit.ingest.rig import Answer, accepting, put, receipt, reject, running, silent, uploading


def refusing(item: Item) -> list[Answer]:
    return [reject(item, "UNSUPPORTED" if item.path.endswith(".txt") else "DECODE_FAILED")]


async def test_a_pause_holds_what_is_found_until_it_ends_and_outlives_a_restart(folder: Path) -> None:
    async with running(folder) as rig:
        assert await rig.invoke("pause") == (200, {"paused": True})
        rig.put("a.png")
        await rig.until_state(a__png="ready")
        await rig.until(lambda: rig.hub.reported["paused"] is True)
        assert rig.metrics.registry.get_sample_value("edge_ingest_paused") == 1
    async with running(folder) as rig:
        for _ in range(50):
            await rig.pass_time(2)
        assert rig.items == []
        assert rig.hub.reported["paused"] is True
        assert await rig.invoke("resume", {}) == (200, {"paused": False})
        await rig.until_state(a__png="done")
        await rig.until(lambda: rig.hub.reported["paused"] is False)
    async with running(folder) as rig:
        await rig.until(lambda: "paused" in rig.hub.reported)
        assert rig.hub.reported["paused"] is False


async def test_answers_are_taken_during_a_pause_and_leases_that_end_hold_nothing_against_anybody(folder: Path) -> None:
    put(folder, "a.png")
    put(folder, "b.png", b"other")
    async with running(folder, silent, leaseSeconds=10) as rig:
        await rig.until_state(a__png="sent", b__png="sent")
        await rig.invoke("pause")
        rig.answer(receipt(next(item for item in rig.items if item.path == "a.png"), ReceiptStatus.UPLOADED))
        await rig.until_state(a__png="done")
        for _ in range(100):
            await rig.pass_time(10)
        assert len(rig.items) == 2
        rig.peer = uploading
        await rig.invoke("resume")
        await rig.until_state(b__png="done", step=1)


async def test_quarantined_items_are_tried_anew_by_code(folder: Path) -> None:
    put(folder, "deep/a.png")
    put(folder, "b.txt", b"text")
    async with running(folder, refusing) as rig:
        await rig.until(lambda: sorted(rig.states().values()) == ["quarantined", "quarantined"])
        rig.peer = uploading
        status, answer = await rig.invoke("requeue", {"codes": ["DECODE_FAILED"]})
        assert (status, answer) == (200, {"requeued": 1, "notFound": [], "placeTaken": [], "more": False})
        await rig.until(lambda: rig.states() == {"deep/a.png": "done", "b.txt": "quarantined"})
    kept = {path.name for path in (folder / "share/.edge/quarantine").rglob("*") if path.is_file()}
    assert kept == {"b.txt", "b.txt.reason.json"}
    assert (folder / "share/deep/a.png").read_bytes() == b"data"


async def test_quarantined_items_are_tried_anew_by_id_and_unknown_ones_are_named(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, refusing) as rig:
        await rig.until_state(a__png="quarantined")
        rig.peer = uploading
        unknown = "f" * 32
        status, answer = await rig.invoke("requeue", {"ids": [rig.items[0].id, unknown]})
        assert (status, answer["requeued"], answer["notFound"]) == (200, 1, [unknown])
        await rig.until_state(a__png="done")
        assert [item.attempt for item in rig.items] == [1, 2]


async def test_what_has_taken_the_place_of_a_quarantined_file_stays(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, refusing) as rig:
        await rig.until_state(a__png="quarantined")
        first = rig.items[0].id
        rig.peer = uploading
        put(folder, "a.png", b"something else")
        await rig.until(lambda: "done" in rig.states().values())
        status, answer = await rig.invoke("requeue", {"ids": [first]})
        assert (status, answer["requeued"], answer["placeTaken"]) == (200, 0, ["a.png"])
    assert (folder / "share/a.png").read_bytes() == b"something else"
    assert (folder / "share/.edge/quarantine/a.png").read_bytes() == b"data"


async def test_the_quarantine_can_be_put_back_without_the_ledger_that_filled_it(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, refusing) as rig:
        await rig.until_state(a__png="quarantined")
    for file in (folder / "state").glob("ledger.db*"):
        file.unlink()
    async with running(folder) as rig:
        await rig.until(lambda: "ledger" in rig.hub.reported)
        assert (await rig.invoke("requeue", {"codes": ["DECODE_FAILED"]}))[1]["requeued"] == 1
        await rig.until_state(a__png="done")


async def test_names_that_are_no_text_and_long_ones_come_back_to_where_they_were(folder: Path) -> None:
    names = [os.fsdecode(b"caf\xe9.png"), "x" * 255, "new\nline.png", "שלום.png"]
    for name in names:
        put(folder, name, b"" if name == names[0] else b"data")
    async with running(folder, refusing) as rig:
        await rig.until(lambda: list(rig.states().values()) == ["quarantined"] * 4)
        assert {path.name for path in (folder / "share").iterdir()} == {".edge"}
        rig.peer = uploading
        await rig.invoke("requeue", {"codes": ["DECODE_FAILED", "BAD_NAME"]})
        left = {".edge", *names[1:]}
        await rig.until(lambda: {path.name for path in (folder / "share").iterdir()} == left)
        await rig.until(lambda: sorted(rig.states().values()) == ["done", "done", "done", "quarantined"])


async def test_bad_notes_in_quarantine_are_passed_over(folder: Path) -> None:
    put(folder, ".edge/quarantine/a.png.reason.json", b"{")
    put(folder, ".edge/quarantine/b.png.reason.json", json.dumps(["list"]).encode())
    put(folder, ".edge/quarantine/c.png", b"secret")
    note = {"id": "a" * 32, "path": "../../outside.png", "code": "X"}
    put(folder, ".edge/quarantine/c.png.reason.json", json.dumps(note).encode())
    os.mkfifo(folder / "share/.edge/quarantine/d.reason.json")
    async with running(folder) as rig:
        answer = await rig.invoke("requeue", {"codes": ["X"]})
        assert answer == (200, {"requeued": 0, "notFound": [], "placeTaken": [], "more": False})
    assert not (folder / "outside.png").exists()


@pytest.mark.parametrize("retention", ["keep", "archive"])
async def test_uploaded_files_are_processed_once_more_as_a_new_generation(folder: Path, retention: str) -> None:
    put(folder, "cam/a.png")
    put(folder, "cam/b.png", b"other")
    put(folder, "c.png")
    async with running(folder, retention=retention) as rig:
        await rig.until_state(c__png="done")
        await rig.until(lambda: len(rig.states()) == 3 and set(rig.states().values()) == {"done"})
        for generation in (1, 2):
            status, answer = await rig.invoke("reprocess", {"pattern": "cam/*"})
            assert (status, answer) == (200, {"reprocessed": 2, "underWay": 0, "notFound": 0, "missing": []})
            await rig.until(lambda: set(rig.states().values()) == {"done"})
            again = [item for item in rig.items if item.generation == generation]
            assert sorted(item.path for item in again) == ["cam/a.png", "cam/b.png"]
    assert len({item.id for item in rig.items}) == len(rig.items) == 7
    kept = folder / "share" / (".edge/archive/2026-01-01" if retention == "archive" else "")
    assert {path.name for path in (kept / "cam").iterdir()} == {"a.png", "b.png"}


async def test_a_day_is_processed_once_more_but_for_what_is_under_way_or_no_longer_there(folder: Path) -> None:
    gone, changed = put(folder, "gone.png"), put(folder, "changed.png")
    put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until(lambda: list(rig.states().values()) == ["done"] * 3)
        gone.unlink()
        rig.peer = accepting
        assert (await rig.invoke("reprocess", {"pattern": "a.png"}))[1]["reprocessed"] == 1
        changed.write_bytes(b"since then")
        status, answer = await rig.invoke("reprocess", {"day": "2026-01-01", "pattern": "**"})
        assert status == 200
        assert (answer["reprocessed"], answer["underWay"], answer["notFound"]) == (0, 1, 2)
        assert sorted(answer["missing"]) == ["changed.png", "gone.png"]
        assert (await rig.invoke("reprocess", {"day": "2025-12-31"}))[1]["reprocessed"] == 0


async def test_a_file_that_is_touched_is_not_taken_for_another_while_it_is_processed_once_more(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, scanSeconds=5) as rig:
        await rig.until_state(a__png="done")
        await rig.invoke("pause")
        await rig.invoke("reprocess", {"pattern": "a.png"})
        file.touch()
        for _ in range(20):
            await rig.pass_time(1)
        assert rig.states() == {"a.png": "ready"}
        await rig.invoke("resume")
        await rig.until(lambda: [item.generation for item in rig.items] == [0, 1])
        await rig.until_state(a__png="done")
        assert (await rig.invoke("reprocess", {"pattern": "a.png"}))[1]["reprocessed"] == 1


async def test_a_file_that_is_touched_stays_until_it_has_been_processed_once_more(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, scanSeconds=5) as rig:
        await rig.until_state(a__png="done")
        await rig.invoke("pause")
        await rig.invoke("reprocess", {"pattern": "a.png"})
        rig.hub.edit_twin({"retention": "delete"})
        file.touch()
        for _ in range(20):
            await rig.pass_time(1)
        assert rig.states() == {"a.png": "ready"}
        assert file.exists()
        await rig.invoke("resume")
        await rig.until_state(a__png="done")
        await rig.until(lambda: not file.exists())


@pytest.mark.parametrize(
    ("method", "payload", "told"),
    [
        ("requeue", None, "either ids or codes"),
        ("requeue", {"ids": ["a" * 32], "codes": ["X"]}, "either ids or codes"),
        ("requeue", {"ids": ["../etc/passwd"]}, "ids.0"),
        ("requeue", {"codes": "X"}, "codes"),
        ("requeue", ["X"], "payload"),
        ("requeue", {"ids": [], "all": True}, "all"),
        ("reprocess", {}, "a day, a pattern, or both"),
        ("reprocess", {"day": "yesterday"}, "day"),
        ("reprocess", {"day": 20260101}, "day"),
        ("reprocess", {"pattern": ""}, "pattern"),
        ("pause", {"for": 3}, "for"),
        ("resume", 7, "payload"),
    ],
)
async def test_a_payload_that_is_wrong_is_refused_with_the_reason(
    folder: Path, method: str, payload: Any, told: str
) -> None:
    async with running(folder) as rig:
        status, answer = await rig.hub.invoke(method, payload)
        assert status == 400
        assert told in answer["message"]


async def test_a_share_that_is_away_is_said(folder: Path) -> None:
    async with running(folder) as rig:
        (folder / "share").rename(folder / "elsewhere")
        status, answer = await rig.invoke("requeue", {"codes": ["X"]})
        assert status == 503
        assert "not there" in answer["message"]
        (folder / "elsewhere").rename(folder / "share")


async def test_one_at_a_time(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
        answers: list[int] = []

        async def call() -> None:
            answers.append((await rig.hub.invoke("reprocess", {"pattern": "**"}))[0])

        await rig.during(call(), call())
        assert sorted(answers) == [200, 409]
