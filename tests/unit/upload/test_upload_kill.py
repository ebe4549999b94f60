"""A kill at any moment: nothing is lost, and nothing is stored twice."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from edge_common.messages import Item
from edge_upload.sinks.share import ShareSink
from support.upload import Bench, Parts, item, predicted, predictions, stored

ITEMS: Final[tuple[Item, ...]] = (item("a"), item("b"), item("c"), item("d"))

EXPECTED: Final = [("in/a.png", 0), ("in/b.png", 0), ("in/b.png", 1), ("in/c.png", 0), ("in/d.png", 0)]
"""Path and part of every row that is to be in the store in the end."""


def sent(attempt: int) -> list[bytes]:
    """All items; b comes in two parts."""
    one, two, three, four = (one.model_copy(update={"attempt": attempt}) for one in ITEMS)
    return [
        predictions(predicted(one), predicted(two, last=False)),
        predictions(predicted(two, part=1), predicted(three)),
        predictions(predicted(four)),
    ]


class Camera:
    """Takes copies of what a kill would leave."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder
        self.taken: list[Path] = []

    def take(self) -> None:
        copy = self._folder / f"{len(self.taken):02}"
        shutil.copytree(self._root, copy)
        self.taken.append(copy)

    def at_transactions(self, statement: str) -> None:
        """Just after a transaction has begun (the one before is durable), and just before one is committed."""
        if statement.startswith(("BEGIN", "COMMIT")):
            self.take()


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("life")
    camera = Camera(root, tmp_path_factory.mktemp("deaths"))
    with closing(Parts(root)) as parts:
        parts.database._connection.set_trace_callback(camera.at_transactions)
        first, second, third = sent(attempt=1)
        parts.store(first)
        parts.store(second)
        for most_rows in (2, 100):
            claim = parts.shards.claim(parts.shards.groups()[0], 1 << 20, most_rows)
            camera.take()
            intent = parts.outbox.cut(claim, parts.shards.entries(claim))
            camera.take()
            parts.shards.intend(intent)
            camera.take()
            asyncio.run(ShareSink(parts.cloud).put(intent.name, parts.outbox.file(intent.number), intent.sha256))
            camera.take()
            parts.settle(intent)
            camera.take()
            parts.outbox.remove(intent.number)
            camera.take()
        parts.store(third)
        camera.take()
    return camera.taken


async def resume(root: Path) -> list[tuple[str, int]]:
    """Run the module on what is there while ingest sends all again; what the store holds in the end."""
    bench = Bench(root)
    async with bench.running() as hub:
        for body in sent(attempt=2):
            hub.deliver("records", body)
        await bench.uploaded(ITEMS)
    assert list((bench.state / "outbox").iterdir()) == []
    return sorted((row["path"], row["part"]) for row in stored(bench.cloud))


async def test_whenever_the_process_is_killed_all_is_stored_once(deaths: list[Path], tmp_path: Path) -> None:
    assert len(deaths) > 20
    for death in deaths:
        assert await resume(shutil.copytree(death, tmp_path / death.name)) == EXPECTED, death.name


async def test_shards_torn_by_the_kill_are_written_again(deaths: list[Path], tmp_path: Path) -> None:
    torn = 0
    for death in deaths:
        copy = shutil.copytree(death, tmp_path / death.name)
        with closing(Parts(copy)) as parts:
            files = [parts.cloud / intent.name for intent in parts.shards.intents()]
        for file in files:
            if file.exists():
                file.write_bytes(file.read_bytes()[:-100])
                torn += 1
                assert await resume(copy) == EXPECTED, death.name
    assert torn > 2


async def test_a_staged_shard_that_is_damaged_is_cut_anew(deaths: list[Path], tmp_path: Path) -> None:
    damaged = 0
    for death in deaths:
        copy = shutil.copytree(death, tmp_path / death.name)
        with closing(Parts(copy)) as parts:
            staged = [
                parts.outbox.file(intent.number)
                for intent in parts.shards.intents()
                if not (parts.cloud / intent.name).exists()
            ]
        for file in staged:
            file.write_bytes(b"rot")
            damaged += 1
            assert await resume(copy) == EXPECTED, death.name
    assert damaged > 1
