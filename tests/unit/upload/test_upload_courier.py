"""The way to the store, when the store, the disk or the share is in trouble."""

import errno
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge_upload.courier import ASIDE_S
from edge_upload.sinks import Durable, Listed, Sink, SinkConflictError, SinkUnavailableError, Stored
from support.upload import Bench, HurriedClock, item, predicted, predictions, stored


@dataclass
class TroubledSink:
    """A sink that fails as told before it stores results; an OSError stands for one that a sink lets through."""

    sink: Sink
    failures: list[Exception] = field(default_factory=list)
    damages: int = 0
    puts: int = 0

    @property
    def durable(self) -> Durable:
        return self.sink.durable

    async def probe(self) -> None:
        await self.sink.probe()

    def limit(self, bytes_per_second: float | None) -> None:
        self.sink.limit(bytes_per_second)

    async def close(self) -> None:
        await self.sink.close()

    def listing(self, prefix: str) -> AsyncIterator[Listed]:
        return self.sink.listing(prefix)

    def read(self, name: str) -> AsyncIterator[bytes]:
        return self.sink.read(name)

    async def put(self, name: str, file: Path, sha256: str) -> Stored:
        if not name.startswith("records/"):
            return await self.sink.put(name, file, sha256)
        self.puts += 1
        if self.failures:
            raise self.failures.pop(0)
        return await self.sink.put(name, file, sha256)

    async def check(self, name: str) -> str | None:
        if self.damages and name.startswith("records/"):
            self.damages -= 1
            return "0" * 64
        return await self.sink.check(name)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.clock = HurriedClock()
    return bench


def counted(bench: Bench, name: str) -> float | None:
    return bench.metrics.registry.get_sample_value(name)


async def test_a_store_in_trouble_is_tried_until_it_takes_the_shard(bench: Bench) -> None:
    sink = bench.sink = TroubledSink(
        bench.sink, [SinkUnavailableError("away")] * 20 + [OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))] * 5
    )
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await bench.uploaded([item("one")])
        assert counted(bench, "edge_upload_put_failures_total") == 20
        assert counted(bench, "edge_upload_uploaded_items_total") == 1
    assert sink.puts == 26
    assert len(stored(bench.cloud)) == 1


async def test_trouble_is_reported_and_then_no_more(bench: Bench) -> None:
    bench.sink = TroubledSink(bench.sink, [SinkUnavailableError("away")] * 10)
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await hub.until_reported("spool.errors.upload", "away")
        await bench.uploaded([item("one")])
        await hub.until_reported("spool.errors.upload", None)
        await hub.until_reported("spool.items", 0)
        assert hub.reported["spool"]["lastUpload"].startswith("2026-01-")


async def test_what_the_store_holds_is_checked_before_it_counts(bench: Bench) -> None:
    sink = bench.sink = TroubledSink(bench.sink, damages=2)
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await bench.uploaded([item("one")])
    assert sink.puts == 3


async def test_a_conflict_stops_its_own_shard_only(bench: Bench) -> None:
    bench.clock = Bench(bench.state.parent).clock
    occupied = bench.cloud / "records" / "device=edge%207" / "date=2026-01-01"
    occupied.parent.mkdir(parents=True)
    occupied.write_text("not a folder")
    other: Any = item("two").model_copy(update={"date": item("two").date.replace(day=2)})
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one")), predicted(other)))
        await bench.uploaded([other])
    assert [row["id"] for row in stored(bench.cloud)] == [other.id]

    occupied.unlink()
    async with bench.running():
        await bench.uploaded([item("one")])
    assert len(stored(bench.cloud)) == 2


async def test_a_conflict_is_tried_again_by_itself(bench: Bench) -> None:
    sink = bench.sink = TroubledSink(bench.sink, [SinkConflictError("occupied")] * 2)
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        await bench.uploaded([item("one")])
    assert sink.puts == 3
    assert bench.clock.monotonic() > 2 * ASIDE_S
