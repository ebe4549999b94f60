"""Ingest behind a real file server, and on a real network mount."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_common.messages import Item
from support.shares import PATIENCE_S, Server, mounted, server
from unit.ingest.rig import Answer, Rig, reject, running, uploading

WHOLE = 64_000_000


@pytest.fixture
def served() -> Iterator[Server]:
    with server() as running_server:
        yield running_server


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "a.png").write_bytes(b"a" * 1000)
    (tmp_path / "b.png").write_bytes(b"b" * 1000)
    return tmp_path


async def until_done(rig: Rig, *paths: str) -> None:
    await rig.until(lambda: {path for path, state in rig.states().items() if state == "done"} >= set(paths), step=0.5)


async def test_what_clients_put_and_rename_is_taken_once(served: Server, source: Path) -> None:
    async with running(served.folder) as rig:
        served.do(f"put {source}/a.png a.png", "mkdir deep", f"put {source}/b.png deep\\b.png.part")
        served.do("rename deep\\b.png.part deep\\b.png")
        await until_done(rig, "a.png", "deep/b.png")
        assert sorted((item.path, item.size) for item in rig.items) == [("a.png", 1000), ("deep/b.png", 1000)]


async def test_a_client_killed_in_the_middle_of_a_file_can_bring_it_again(served: Server, source: Path) -> None:
    os.mkfifo(source / "slow")

    def particular(item: Item) -> list[Answer]:
        return uploading(item) if item.size == WHOLE else [reject(item, "DECODE_FAILED")]

    async with running(served.folder, particular) as rig:
        client = served.client(f"put {source}/slow camera.png")
        with (source / "slow").open("wb", buffering=0) as writing:
            writing.write(b"x" * (WHOLE // 2))
            half = served.share / "camera.png"
            await rig.until(lambda: half.exists() and half.stat().st_size > 0, step=0)
            client.kill()
            client.wait(PATIENCE_S)
        await rig.until_state(step=0.5, camera__png="quarantined")
        (source / "camera.png").write_bytes(b"x" * WHOLE)
        served.do(f"put {source}/camera.png camera.png")
        await until_done(rig, "camera.png")
    assert (served.share / "camera.png").stat().st_size == WHOLE


async def test_on_a_network_mount_scans_find_what_others_bring_and_settle_it_there(
    served: Server, source: Path, tmp_path: Path
) -> None:
    with mounted(served, tmp_path / "share"):
        async with running(tmp_path, scanSeconds=5, retention="archive") as rig:
            await rig.pass_time(1)
            served.do(f"put {source}/a.png a.png")
            await until_done(rig, "a.png")
            assert len(rig.items) == 1
    assert (served.share / ".edge/archive/2026-01-01/a.png").read_bytes() == b"a" * 1000


async def test_a_network_mount_that_goes_away_is_waited_for(served: Server, source: Path, tmp_path: Path) -> None:
    share = tmp_path / "share"
    async with running(tmp_path, scanSeconds=5) as rig:
        with mounted(served, share):
            served.do(f"put {source}/a.png a.png")
            await until_done(rig, "a.png")
        for _ in range(5):
            await rig.pass_time(5)
        with mounted(served, share):
            served.do(f"put {source}/b.png b.png")
            await until_done(rig, "a.png", "b.png")
        assert len(rig.items) == 2


async def test_a_server_that_goes_away_is_waited_for(served: Server, source: Path, tmp_path: Path) -> None:
    with mounted(served, tmp_path / "share"):
        async with running(tmp_path, scanSeconds=5) as rig:
            served.do(f"put {source}/a.png a.png")
            await until_done(rig, "a.png")
            served.stop()
            for _ in range(5):
                await rig.pass_time(5)
            served.start()
            served.do(f"put {source}/b.png b.png")
            await until_done(rig, "b.png")
            assert len(rig.items) == 2


async def test_files_that_are_refused_for_a_while_are_tried_until_they_can_be_read(
    served: Server, source: Path, tmp_path: Path
) -> None:
    served.do(f"put {source}/a.png a.png", f"put {source}/b.png b.png")
    refused = served.share / "a.png"
    with mounted(served, tmp_path / "share"):
        refused.chmod(0)
        async with running(tmp_path, scanSeconds=5) as rig:
            await until_done(rig, "b.png")
            for _ in range(5):
                await rig.pass_time(5)
            assert "a.png" not in rig.states()
            refused.chmod(0o644)
            await until_done(rig, "a.png", "b.png")
            assert len(rig.items) == 2
