"""The cloud share's own rules."""

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge_common.mounts import file_system_type
from edge_upload.sinks import SinkConflictError, SinkUnavailableError
from edge_upload.sinks.share import ShareSink

NAME = "records/date=2026-01-01/shard.parquet"
DATA = b"rows" * 1000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def staged(tmp_path: Path) -> Path:
    file = tmp_path / "staged"
    file.write_bytes(DATA)
    return file


@pytest.fixture
def cloud(tmp_path: Path) -> Path:
    folder = tmp_path / "cloud"
    folder.mkdir()
    return folder


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if not path.is_dir() or path.name == "mount"}


async def test_a_torn_file_is_written_again_in_place(cloud: Path, staged: Path) -> None:
    await ShareSink(cloud).put(NAME, staged, SHA256)
    file = cloud / NAME
    inode = file.stat().st_ino
    for torn in (DATA[:-7], DATA + b"more", b""):
        file.write_bytes(torn)
        stored = await ShareSink(cloud).put(NAME, staged, SHA256)
        assert stored.written
        assert file.read_bytes() == DATA
    assert file.stat().st_ino == inode


async def test_nothing_but_the_file_is_ever_there(cloud: Path, staged: Path) -> None:
    await ShareSink(cloud).put(NAME, staged, SHA256)
    assert files(cloud.parent) == {cloud / NAME, staged}


async def test_a_share_that_is_not_mounted_is_waited_for_and_not_made(cloud: Path, staged: Path) -> None:
    sink = ShareSink(cloud / "mount")
    with pytest.raises(SinkUnavailableError):
        await sink.put(NAME, staged, SHA256)
    with pytest.raises(SinkUnavailableError):
        await sink.check(NAME)
    assert files(cloud.parent) == {staged}


@contextmanager
def quota(size: int) -> Iterator[None]:
    """Let this process write no file beyond a size, as a full disk would."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_share_without_room_is_tried_again(cloud: Path, staged: Path) -> None:
    with quota(len(DATA) // 2), pytest.raises(SinkUnavailableError):
        await ShareSink(cloud).put(NAME, staged, SHA256)
    assert (cloud / NAME).read_bytes() != DATA
    await ShareSink(cloud).put(NAME, staged, SHA256)
    assert (cloud / NAME).read_bytes() == DATA


def _folder(path: Path) -> None:
    path.mkdir(parents=True)


def _fifo(path: Path) -> None:
    path.parent.mkdir(parents=True)
    os.mkfifo(path)


def _link(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.symlink_to("other")


def _file_in_the_way(path: Path) -> None:
    path.parents[1].mkdir(parents=True)
    path.parent.write_bytes(b"")


def _way_out(path: Path) -> None:
    path.parents[1].mkdir(parents=True)
    (path.parents[3] / "elsewhere").mkdir()
    path.parent.symlink_to(path.parents[3] / "elsewhere")


@pytest.mark.parametrize("make", [_folder, _fifo, _link, _file_in_the_way, _way_out])
async def test_what_is_not_ours_is_a_conflict_and_stays(cloud: Path, staged: Path, make: object) -> None:
    assert callable(make)
    make(cloud / NAME)
    with pytest.raises(SinkConflictError):
        await ShareSink(cloud).put(NAME, staged, SHA256)
    with pytest.raises(SinkConflictError):
        await ShareSink(cloud).check(NAME)
    assert not list(cloud.parent.glob("elsewhere/*"))


async def test_the_folder_that_a_share_is_to_be_mounted_on_is_not_taken_for_it(cloud: Path, staged: Path) -> None:
    memory = cloud.with_name("kind")
    memory.write_text("nfs4")
    with pytest.raises(SinkUnavailableError, match="was on nfs4"):
        await ShareSink(cloud, memory).put(NAME, staged, SHA256)
    assert not files(cloud)


async def test_the_file_system_type_share_is_remembered_once_something_is_on_it(cloud: Path, staged: Path) -> None:
    memory = cloud.with_name("kind")
    await ShareSink(cloud, memory).put(NAME, staged, SHA256)
    assert memory.read_text() == file_system_type(cloud)
    assert await ShareSink(cloud, memory).check(NAME) == SHA256
