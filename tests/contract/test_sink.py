"""What every store of shards keeps to. A further sink joins with a line in ``SINKS``."""

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from edge_upload.sinks import Listed, Sink, SinkMissingError, StagedFileError
from edge_upload.sinks.share import ShareSink
from support.azurite import Azurite


def share(request: pytest.FixtureRequest) -> Sink:
    folder = request.getfixturevalue("tmp_path") / "store"
    folder.mkdir()
    return ShareSink(folder)


def blob(request: pytest.FixtureRequest) -> Sink:
    azurite: Azurite = request.getfixturevalue("azurite_server")
    return azurite.sink(azurite.make_container())


SINKS: Final[dict[str, Callable[[pytest.FixtureRequest], Sink]]] = {"share": share, "blob": blob}
"""Makes a sink on an empty store."""

NAME = "records/device=edge-7/date=2026-01-01/shard.parquet"


@pytest.fixture(params=SINKS)
async def sink(request: pytest.FixtureRequest) -> AsyncIterator[Sink]:
    sink = SINKS[request.param](request)
    yield sink
    await sink.close()


def staged(tmp_path: Path, data: bytes = b"rows") -> tuple[Path, str]:
    file = tmp_path / "staged"
    file.write_bytes(data)
    return file, hashlib.sha256(data).hexdigest()


async def test_what_is_put_is_there(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path, b"r" * 3_000_000)
    assert await sink.check(NAME) is None
    stored = await sink.put(NAME, file, sha256)
    assert (stored.name, stored.size, stored.written) == (NAME, 3_000_000, True)
    assert await sink.check(NAME) == sha256


async def test_putting_it_again_writes_nothing(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path)
    await sink.put(NAME, file, sha256)
    file.unlink()
    stored = await sink.put(NAME, file, sha256)
    assert (stored.size, stored.written) == (4, False)


async def test_an_empty_file_is_a_file(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path, b"")
    await sink.put(NAME, file, sha256)
    assert await sink.check(NAME) == sha256


async def test_a_staged_file_that_has_gone_or_changed_is_not_stored(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path)
    file.write_bytes(b"other")
    with pytest.raises(StagedFileError):
        await sink.put(NAME, file, sha256)
    file.unlink()
    with pytest.raises(StagedFileError):
        await sink.put(NAME, file, sha256)
    assert await sink.check(NAME) is None


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up", "records/../../up", "a//b", "a/./b", "a\\b", "a\nb", "a\0b", "ä", "a/"]
)
async def test_a_name_that_some_store_cannot_hold_is_refused(sink: Sink, tmp_path: Path, name: str) -> None:
    file, sha256 = staged(tmp_path)
    with pytest.raises(ValueError, match="cannot name a file"):
        await sink.put(name, file, sha256)
    with pytest.raises(ValueError, match="cannot name a file"):
        await sink.check(name)


async def test_it_says_where_its_files_are_durable(sink: Sink) -> None:
    assert sink.durable in {"cloud", "appliance"}


async def listed(sink: Sink, prefix: str) -> dict[str, Listed]:
    return {one.name: one async for one in sink.listing(prefix)}


async def test_a_listing_finds_what_starts_so(sink: Sink, tmp_path: Path) -> None:
    assert await listed(sink, "") == {}
    file, sha256 = staged(tmp_path)
    names = ["records/device=a/one", "records/device=a/deeper/two", "records/device=ab/three", "originals/four"]
    stored = {name: await sink.put(name, file, sha256) for name in names}
    assert set(await listed(sink, "")) == set(names)
    assert set(await listed(sink, "records/device=a")) == set(names[:3])
    assert set(await listed(sink, "records/device=a/")) == set(names[:2])
    assert await listed(sink, "records/device=c/") == {}
    for one in (await listed(sink, "")).values():
        assert (one.size, one.etag) == (4, stored[one.name].etag)
        assert one.sha256 in {sha256, None}
        assert abs(datetime.now(UTC) - one.modified) < timedelta(minutes=5)


async def test_what_is_read_is_what_was_put(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path, os.urandom(5_000_000))
    await sink.put(NAME, file, sha256)
    chunks = [chunk async for chunk in sink.read(NAME)]
    assert b"".join(chunks) == file.read_bytes()
    assert len(chunks) > 1


async def test_reading_what_is_not_there_says_so(sink: Sink) -> None:
    with pytest.raises(SinkMissingError):
        await anext(sink.read(NAME))


async def test_a_file_that_was_there_keeps_its_etag(sink: Sink, tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path)
    first = await sink.put(NAME, file, sha256)
    assert (await sink.put(NAME, file, sha256)).etag == first.etag


async def test_a_store_that_is_there_passes_the_probe_and_shows_nothing_of_it(sink: Sink) -> None:
    await sink.probe()
    await sink.probe()
    assert await listed(sink, "") == {}
