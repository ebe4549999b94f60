"""What on the share becomes an item, and when."""

import asyncio
import os
import tracemalloc
from contextlib import chdir
from pathlib import Path
from socket import AF_UNIX, socket

from support.inotify import watches
from unit.ingest.rig import files, put, running, silent


async def test_what_cannot_be_an_item_is_quarantined(folder: Path) -> None:
    put(folder, "folder/empty.png", b"")
    put(folder, "large.png", b"x" * 101)
    put(folder, "fine.png", b"x" * 100)
    os.mkfifo(folder / "share/fifo")
    with chdir(folder / "share"), socket(AF_UNIX) as listener:
        listener.bind("socket")
    (folder / "outside").mkdir()
    (folder / "outside/secret.png").write_bytes(b"secret")
    (folder / "share/link.png").symlink_to(folder / "outside/secret.png")
    (folder / "share/linked").symlink_to(folder / "outside")
    (folder / "share/processes").symlink_to("/proc")
    put(folder, os.fsdecode(b"caf\xe9.png"), b"coffee")
    async with running(folder, maxBytes=100, scanSeconds=5) as rig:
        await rig.until(lambda: len(rig.states()) == 7 and set(rig.states().values()) == {"done", "quarantined"})
        assert [item.path for item in rig.items] == ["fine.png"]
        codes = {path: rig.row(path)["code"] for path in rig.states()}
        assert codes == {
            "folder/empty.png": "EMPTY",
            "large.png": "TOO_LARGE",
            "fine.png": None,
            "link.png": "SYMLINK",
            "linked": "SYMLINK",
            "processes": "SYMLINK",
            "caf\\xe9.png": "BAD_NAME",
        }
        left_alone = rig.metrics.registry.get_sample_value
        await rig.until(lambda: left_alone("edge_ingest_left_alone") == 2, step=1)
    assert (folder / "outside/secret.png").read_bytes() == b"secret"
    assert {path for path in files(folder) if not path.startswith(".edge/")} == {"fine.png", "fifo", "socket"}
    assert len(list((folder / "share/.edge/quarantine").rglob("*.reason.json"))) == 6


async def test_an_empty_file_that_grows_is_taken_whole(folder: Path) -> None:
    async with running(folder, settleSeconds=1) as rig:
        file = rig.put("growing.png", b"")
        await rig.pass_time(2)
        file.write_bytes(b"x" * 50)
        await rig.until_state(growing__png="done")
        assert [item.size for item in rig.items] == [50]


async def test_many_names_of_one_file_are_an_item_each(folder: Path) -> None:
    first = put(folder, "a/first.png")
    (folder / "share/b").mkdir()
    for number in range(5):
        (folder / f"share/b/{number}.png").hardlink_to(first)
    async with running(folder) as rig:
        await rig.until(lambda: list(rig.states().values()) == ["done"] * 6)


async def test_a_file_that_is_written_slowly_is_taken_once_and_whole(folder: Path) -> None:
    async with running(folder, settleSeconds=1) as rig:
        with (folder / "share/slow.png").open("wb") as file:
            for _ in range(30):
                file.write(b"x" * 10)
                file.flush()
                await rig.pass_time(0.5)
        await rig.until_state(slow__png="done")
        assert [item.size for item in rig.items] == [300]


async def test_a_file_renamed_into_place_is_taken_at_once(folder: Path) -> None:
    before = watches()
    async with running(folder, settleSeconds=1000, scanSeconds=10_000) as rig:
        await rig.until(lambda: watches() > before)
        await asyncio.to_thread(rig.put, "a.png.part")
        (folder / "share/a.png.part").rename(folder / "share/a.png")
        await rig.until(lambda: len(rig.items) == 1, step=0.01)
        assert rig.clock.monotonic() < 100


async def test_without_inotify_scans_find_everything(folder: Path) -> None:
    async with running(folder, watch="poll", scanSeconds=5) as rig:
        await rig.pass_time(1)
        rig.put("a.png")
        await rig.until_state(a__png="done")


async def test_temporary_names_are_left_alone_until_the_twin_says_otherwise(folder: Path) -> None:
    put(folder, "a.tmp")
    async with running(folder) as rig:
        for _ in range(10):
            await rig.pass_time(5)
        assert rig.states() == {}
        rig.hub.edit_twin({"exclude": []})
        await rig.until_state(a__tmp="done")


async def test_a_share_that_is_away_is_waited_for(folder: Path) -> None:
    share = folder / "share"
    share.rmdir()
    async with running(folder) as rig:
        for _ in range(10):
            await rig.pass_time(5)
        share.mkdir()
        rig.put("a.png")
        await rig.until_state(a__png="done")
        share.rename(folder / "elsewhere")
        for _ in range(10):
            await rig.pass_time(5)
        share.mkdir()
        rig.put("b.png")
        await rig.until_state(b__png="done")
        # The watch is on the new root.
        rig.hub.edit_twin({"scanSeconds": 10_000})
        await rig.pass_time(1)
        began = rig.clock.monotonic()
        rig.put("c.png")
        await rig.until_state(c__png="done")
        assert rig.clock.monotonic() < began + 1000


async def test_a_share_that_refuses_is_waited_for(folder: Path) -> None:
    share = folder / "share"
    put(folder, "a.png")
    async with running(folder, settleSeconds=60) as rig:
        for _ in range(10):
            await rig.pass_time(5)  # it is known to be there, and is to be looked at again
        share.rename(folder / "elsewhere")
        share.symlink_to(share)  # entering it is an error that is not that there is nothing
        for _ in range(20):
            await rig.pass_time(5)
        share.unlink()
        (folder / "elsewhere").rename(share)
        await rig.until_state(a__png="done")


async def test_known_files_are_not_read_again_after_a_restart(folder: Path) -> None:
    file = put(folder, "a.png")
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
    accessed = file.stat().st_atime_ns
    os.utime(file, ns=(0, file.stat().st_mtime_ns))
    async with running(folder, scanSeconds=1) as rig:
        for _ in range(20):
            await rig.pass_time(1)
        assert rig.items == []
    assert file.stat().st_atime_ns == 0 < accessed


async def test_twenty_thousand_files_need_little_memory(folder: Path) -> None:
    first = put(folder, "0/0.png")
    for number in range(1, 20_000):
        parent = folder / f"share/{number // 1000}"
        parent.mkdir(exist_ok=True)
        (parent / f"{number}.png").hardlink_to(first)
    async with running(folder, silent, settleSeconds=0, watch="poll") as rig:
        rig.deaf = True
        await rig.until(lambda: "ledger" in rig.hub.reported, step=0)
        tracemalloc.start()
        try:
            await rig.until(lambda: rig.hub.reported["ledger"]["items"]["ready"] > 19_700, step=1)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 12_000_000  # 6 to 9 million, by who is ahead: the scan, or what looks at its files
