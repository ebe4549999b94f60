"""What the modules' threads do, by their names, and how much CPU they take."""

import os
import threading
from pathlib import Path

from bench.roles import EVENT_LOOP, HUB, draw, role_of, seconds_by_thread


def test_roles_by_the_names_of_threads() -> None:
    names = ["MainThread", "ledger_0", "files_3", "pipeline", "Thread-7 (_thread_main)", "asyncio_2", ""]
    assert [role_of(name) for name in names] == [EVENT_LOOP, "ledger", "files", HUB, HUB, HUB, HUB]


def test_the_kernel_tells_the_cpu_of_each_thread() -> None:
    assert seconds_by_thread(os.getpid())[threading.get_native_id()] > 0


def test_a_drawing(tmp_path: Path) -> None:
    draw({"ingest": {EVENT_LOOP: 0.1, "ledger": 0.01}, "upload": {HUB: 0.2}}, tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 0
