"""What a stage cannot process, and files that are not what they were."""

import json
import os
from hashlib import sha256
from pathlib import Path

from edge_common.messages import Item
from unit.ingest.rig import Answer, put, reject, running, uploading


async def test_a_reject_for_good_quarantines_at_once(folder: Path) -> None:
    put(folder, "sub/a.png", b"text")
    async with running(folder, lambda item: [reject(item, "DECODE_FAILED")], reportSeconds=1) as rig:
        await rig.until(lambda: rig.states() == {"sub/a.png": "quarantined"})
        note = json.loads((folder / "share/.edge/quarantine/sub/a.png.reason.json").read_text())
        assert note == {
            "id": rig.items[0].id,
            "path": "sub/a.png",
            "code": "DECODE_FAILED",
            "reason": "No.",
            "stage": "transform",
            "attempts": 1,
            "at": note["at"],
        }
        await rig.until(lambda: rig.hub.reported["ledger"]["items"]["quarantined"] == 1)
        assert rig.hub.reported["ledger"]["quarantined"] == [{"path": "sub/a.png", "code": "DECODE_FAILED"}]
        assert await rig.hub.invoke("ledger") == (200, rig.hub.reported["ledger"])
        counted = rig.metrics.registry.get_sample_value
        assert counted("edge_ingest_quarantined_items_total", {"code": "DECODE_FAILED"}) == 1
        assert counted("edge_ingest_items", {"state": "quarantined"}) == 1
        assert counted("edge_ingest_sent_items_total") == 1


async def test_a_reject_that_another_try_can_help_is_sent_again_without_end(folder: Path) -> None:
    put(folder, "a.png")
    async with running(folder, lambda item: [reject(item, "NO_CONTRACT", retryable=True)]) as rig:
        await rig.until(lambda: len(rig.items) > 8, step=1)
        rig.peer = uploading
        await rig.until_state(step=1, a__png="done")
        assert rig.row("a.png")["strikes"] == 0


async def test_a_file_that_changed_is_a_new_item(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def changed(item: Item) -> list[Answer]:
        if item.size == 6:
            file.write_bytes(b"and after")
            return [reject(item, "CHANGED")]
        return uploading(item)

    async with running(folder, changed) as rig:
        await rig.until_state(a__png="done")
        assert rig.items[0].id != rig.items[-1].id
        assert rig.items[-1].size == 9
        await rig.until(lambda: (rig.hub.reported["ledger"]["items"]["gone"]) == 1)
    assert file.read_bytes() == b"and after"


async def test_a_file_that_changed_is_gone_also_if_it_is_said_once_the_new_one_is_done(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def late(item: Item) -> list[Answer]:
        if item.size == 6:
            file.write_bytes(b"and after")
            return []
        return uploading(item)

    async with running(folder, late) as rig:
        await rig.until_state(a__png="done")
        rig.peer = lambda item: [reject(item, "CHANGED")]
        await rig.until(lambda: (rig.hub.reported["ledger"]["items"]["gone"]) == 1, step=1)


async def test_a_file_that_changes_without_a_new_look_is_read_again(folder: Path) -> None:
    file = put(folder, "a.png", b"before")

    def changed(item: Item) -> list[Answer]:
        if item.sha256 == sha256(b"before").hexdigest():
            times = file.stat()
            file.write_bytes(b"after!")
            os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
            return [reject(item, "CHANGED")]
        return uploading(item)

    async with running(folder, changed) as rig:
        await rig.until(lambda: "done" in rig.states().values())
        assert rig.items[-1].sha256 == sha256(b"after!").hexdigest()


async def test_a_file_that_vanished_is_gone(folder: Path) -> None:
    file = put(folder, "a.png")

    def vanishing(item: Item) -> list[Answer]:
        file.unlink(missing_ok=True)
        return [reject(item, "GONE", retryable=True)]

    async with running(folder, vanishing) as rig:
        await rig.until_state(a__png="gone")
        rig.peer = uploading
        rig.put("a.png")
        await rig.until_state(a__png="done")


async def test_a_quarantined_file_that_is_put_back_is_tried_anew(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder, lambda item: [reject(item, "UNSUPPORTED")]) as rig:
        await rig.until_state(a__png="quarantined")
        rig.peer = uploading
        (folder / "share/.edge/quarantine/a.png").rename(file)
        await rig.until_state(a__png="done")
        assert [item.attempt for item in rig.items] == [1, 2]
