"""The watch's own life: what it opens, it closes."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_common.fakes import FakeClock
from edge_ingest.watch import ShareWatch
from support.inotify import instances


@pytest.fixture(autouse=True)
def _closed_again() -> Iterator[None]:
    before = instances()
    yield
    assert instances() == before


async def test_another_root_takes_the_place_of_the_watched_one(tmp_path: Path) -> None:
    watch, before = ShareWatch(tmp_path, FakeClock()), instances()
    watch.ensure("first", "inotify")
    watched = instances()
    watch.ensure("first", "inotify")
    watch.ensure("second", "inotify")
    assert instances() == watched > before
    watch.close()


async def test_once_closed_it_watches_nothing_any_more(tmp_path: Path) -> None:
    watch, before = ShareWatch(tmp_path, FakeClock()), instances()
    watch.close()
    watch.ensure("root", "inotify")
    assert instances() == before


async def test_it_may_be_closed_while_watches_are_set(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}").mkdir()
    for _ in range(10):
        watch = ShareWatch(tmp_path, FakeClock())
        thread = threading.Thread(target=watch.ensure, args=("root", "inotify"))
        thread.start()
        watch.close()
        thread.join()
