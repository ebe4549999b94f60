"""A ledger that a disk has spoilt, in part or as a whole: ingest goes on by itself."""

import asyncio
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edge_common.fakes import FakeClock
from edge_ingest.ledger.journal import Journal
from edge_ingest.ledger.records import flaw
from edge_ingest.ledger.salvage import open_or_salvage
from unit.ingest.rig import Rig, accepting, running

PAGE = 4096


async def fill(folder: Path, files: int) -> None:
    for number in range(files):
        (folder / f"share/{number:04}.png").write_bytes(b"%d" % number)
    async with running(folder, settleSeconds=0) as rig:
        await rig.until(lambda: list(rig.states().values()) == ["done"] * files)
    with closing(sqlite3.connect(folder / "state/ledger.db")) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def all_done(rig: Rig, files: int) -> bool:
    try:
        return list(rig.states().values()) == ["done"] * files
    except sqlite3.DatabaseError:  # spoilt, or about to be replaced
        return False


def spoil(path: Path, first_page: int, pages: int) -> None:
    with path.open("r+b") as file:
        file.seek(first_page * PAGE)
        file.write(b"\xa5" * pages * PAGE)


def aside(folder: Path) -> set[str]:
    return {path.name for path in (folder / "state").glob("*.corrupt*")}


@pytest.mark.parametrize("content", [b"not a database, but long enough to look like one" * 100, b"\0" * 8192, b"SQLi"])
async def test_what_is_no_ledger_is_set_aside_with_the_reason(folder: Path, content: bytes) -> None:
    (folder / "share/a.png").write_bytes(b"data")
    (folder / "state").mkdir()
    (folder / "state/ledger.db").write_bytes(content)
    async with running(folder) as rig:
        await rig.until_state(a__png="done")
    assert aside(folder) == {"ledger.db.corrupt", "ledger.db.corrupt.reason.txt"}
    assert (folder / "state/ledger.db.corrupt").read_bytes() == content
    assert "database" in (folder / "state/ledger.db.corrupt.reason.txt").read_text()


@pytest.mark.parametrize("place", range(1, 40, 3))
async def test_a_ledger_with_bad_pages_keeps_its_other_records_and_finds_the_rest_on_the_share(
    folder: Path, place: int
) -> None:
    await fill(folder, 120)
    ledger = folder / "state/ledger.db"
    with closing(sqlite3.connect(ledger)) as db:
        (root,) = db.execute("SELECT rootpage - 1 FROM sqlite_master WHERE name = 'item'").fetchone()
    page = place % (ledger.stat().st_size // PAGE - 1) + 1
    spoil(ledger, page, 1)
    (folder / "share/new.png").write_bytes(b"new")
    async with running(folder, settleSeconds=0, scanSeconds=5) as rig:
        await rig.until(lambda: bool(aside(folder)) and all_done(rig, 121), step=1)
        assert "new.png" in {item.path for item in rig.items}
        assert (len(rig.items) == 121) == (page == root)  # without its root, nothing of the table can be read
        with closing(sqlite3.connect(ledger)) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_ledger_that_is_spoilt_while_it_is_used_is_replaced_while_it_is_used(folder: Path) -> None:
    await fill(folder, 120)
    async with running(folder, settleSeconds=0, scanSeconds=5) as rig:
        await rig.until(lambda: "ledger" in rig.hub.reported)
        ledger = folder / "state/ledger.db"
        spoil(ledger, 1, ledger.stat().st_size // PAGE - 1)
        (folder / "share/new.png").write_bytes(b"new")
        await rig.until(lambda: bool(aside(folder)), step=1)
        await rig.until(lambda: all_done(rig, 121), step=1)


async def test_a_page_that_is_spoilt_while_nothing_reads_it_is_found_within_a_day(folder: Path) -> None:
    await fill(folder, 120)
    async with running(folder, settleSeconds=0, scanSeconds=5) as rig:
        await rig.until(lambda: "ledger" in rig.hub.reported)
        ledger = folder / "state/ledger.db"
        with closing(sqlite3.connect(ledger)) as db:
            (unread,) = db.execute("SELECT rootpage - 1 FROM sqlite_master WHERE name = 'item_quarantined'").fetchone()
        spoil(ledger, unread, 1)
        began = rig.clock.monotonic()
        await rig.until(lambda: bool(aside(folder)), step=600)
        assert rig.clock.monotonic() - began < 2 * 86_400
        await rig.until(lambda: all_done(rig, 120), step=1)
        assert rig.items == []


async def test_doubts_about_a_ledger_that_was_replaced_meanwhile_count_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    journal = Journal(open_or_salvage(path), path, FakeClock())
    running = asyncio.create_task(journal.run())
    for doubted in (1, 1, 2):
        journal.doubt("a test", doubted)
        await journal.do(lambda _: None)
    assert journal.life == 3
    assert (tmp_path / "ledger.db.corrupt.reason.txt").read_text() == "a test\n"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await journal.close()


async def test_a_replacement_that_was_killed_is_finished(folder: Path) -> None:
    await fill(folder, 10)
    state = folder / "state"
    (state / "ledger.db").rename(state / "ledger.db.new")
    with closing(open_or_salvage(state / "ledger.db")) as db:
        assert db.execute("SELECT count(*) FROM item").fetchone()[0] == 10


@pytest.mark.parametrize(
    "nonsense",
    [
        "UPDATE item SET id = 'x' WHERE path = '0001.png'",
        "UPDATE item SET path = '../../etc/passwd' WHERE path = '0001.png'",
        "UPDATE item SET sha256 = 'ff' WHERE path = '0001.png'",
        "UPDATE item SET generation = 7 WHERE path = '0001.png'",
        "UPDATE item SET date = 'someday' WHERE path = '0001.png'",
        "UPDATE item SET attempt = -4 WHERE path = '0001.png'",
        "UPDATE item SET size = -1 WHERE path = '0001.png'",
    ],
)
@pytest.mark.parametrize("state", ["ready", "accepted", "uploaded"])
async def test_a_record_that_makes_no_sense_is_set_aside_and_the_others_go_on(
    folder: Path, nonsense: str, state: str
) -> None:
    await fill(folder, 3)
    with closing(sqlite3.connect(folder / "state/ledger.db", isolation_level=None)) as db:
        db.execute("UPDATE item SET state = ? WHERE path = '0001.png'", (state,))
        db.execute(nonsense)
        db.execute("UPDATE item SET state = 'ready' WHERE path = '0002.png'")
    async with running(folder, accepting, inquirySeconds=5, scanSeconds=5) as rig:
        with closing(sqlite3.connect(folder / "state/ledger.db")) as db:
            await rig.until(lambda: db.execute("SELECT count(*) FROM set_aside").fetchone() == (1,), step=1)
        expected = {"0000.png": "done", "0001.png": "accepted", "0002.png": "accepted"}
        await rig.until(lambda: rig.states() == expected, step=1)


def test_a_sound_record_has_no_flaw(tmp_path: Path) -> None:
    with closing(open_or_salvage(tmp_path / "ledger.db")) as db:
        row = db.execute(
            "SELECT ? AS id, 'a' AS path, '' AS sha256, 0 AS generation, 'lost' AS state", ("f" * 32,)
        ).fetchone()
        assert flaw(row) == "its id is not that of its path, content and generation"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        mount is None
        or unmount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "none", disk], check=False).returncode
    ):
        pytest.skip("needs leave to mount a tmpfs")
    yield disk
    subprocess.run([unmount, "--lazy", disk], check=True)


async def test_a_full_disk_is_waited_for_and_recovered_from(small_disk: Path) -> None:
    (small_disk / "share").mkdir()
    async with running(small_disk, settleSeconds=0, scanSeconds=5) as rig:
        rig.put("before.png")
        await rig.until_state(before__png="done")
        with (small_disk / "ballast").open("wb", buffering=0) as ballast, pytest.raises(OSError, match="space"):
            while True:
                ballast.write(b"\0" * PAGE)
        for number in range(300):
            (small_disk / f"share/{number}").hardlink_to(small_disk / "share/before.png")
        for _ in range(30):
            await rig.pass_time(5)
        assert len(rig.states()) < 301
        (small_disk / "ballast").unlink()
        await rig.until(lambda: all_done(rig, 301), step=1)
