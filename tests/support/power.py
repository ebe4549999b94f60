"""Cuts the power: records what a process writes, and makes of it what a disk may hold after a cut at any point.

A disk keeps what was synced before the cut. Of what was not, it keeps anything: everything, nothing, or some writes and
not others, and one of them only up to some sector. Names (made, deleted, renamed) are taken to arrive in their order,
as file systems with a journal do it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import pytest

SOURCE: Final = Path(__file__).with_name("power.c")
SECTOR: Final = 512


@dataclass(frozen=True)
class Step:
    """One thing that was done: ``w`` (write), ``t`` (truncate), ``s`` (sync), ``d`` (delete), ``m`` (move)."""

    kind: str
    path: str
    offset: int
    data: bytes


def record(folder: Path, script: str) -> list[Step]:
    """Run a script, which gets a folder as its argument, and record what it writes below that; skips without gcc."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc, to compile what records writes")
    library, log, root = folder / "power.so", folder / "power.log", folder / "recorded"
    root.mkdir()
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SOURCE, "-ldl", "-lpthread"], check=True)
    environment = {"LD_PRELOAD": str(library), "POWER_ROOT": f"{root}/", "POWER_LOG": str(log)}
    paths = os.pathsep.join(filter(None, sys.path))
    subprocess.run(
        [sys.executable, "-c", script, root], check=True, env={**os.environ, "PYTHONPATH": paths, **environment}
    )
    return list(_parse(log.read_bytes(), f"{root}/"))


def cuts(steps: Sequence[Step], seed: int) -> Iterator[tuple[int, dict[str, bytes]]]:
    """For a cut before each step, and after the last, some disks that may be left: how many steps were done, files."""
    random = Random(seed)
    for done in range(len(steps) + 1):
        unsynced = _unsynced(steps[:done])
        for lost in _losses(unsynced, random):
            yield done, _disk(steps[:done], lost)


def _losses(unsynced: Sequence[int], random: Random) -> Iterator[Mapping[int, int]]:
    """What may be missing: of which steps, only so many bytes arrived."""
    yield {}
    if unsynced:
        yield dict.fromkeys(unsynced, 0)
        yield {unsynced[-1]: SECTOR}
        yield {step: random.choice((0, SECTOR, 3 * SECTOR)) for step in unsynced if random.random() < 0.5}


def _unsynced(steps: Sequence[Step]) -> list[int]:
    pending: dict[str, list[int]] = {}
    for number, step in enumerate(steps):
        if step.kind in "wt":
            pending.setdefault(step.path, []).append(number)
        elif step.kind == "m":
            pending[step.data.decode()] = pending.pop(step.path, [])
        else:
            pending.pop(step.path, None)
    return sorted(number for numbers in pending.values() for number in numbers)


def _disk(steps: Sequence[Step], lost: Mapping[int, int]) -> dict[str, bytes]:
    files: dict[str, bytearray] = {}
    for number, step in enumerate(steps):
        if step.kind == "d":
            files.pop(step.path, None)
        elif step.kind == "m":
            files[step.data.decode()] = files.pop(step.path)
        elif step.kind == "w":
            _write(files.setdefault(step.path, bytearray()), step.offset, step.data[: lost.get(number)])
        elif step.kind == "t" and number not in lost:
            file = files.setdefault(step.path, bytearray())
            file[:] = file[: step.offset].ljust(step.offset, b"\0")
    return {path: bytes(data) for path, data in files.items() if not path.endswith("-shm")}


def _write(file: bytearray, offset: int, data: bytes) -> None:
    if data:
        file.extend(bytes(max(0, offset - len(file))))
        file[offset : offset + len(data)] = data


def _parse(log: bytes, root: str) -> Iterator[Step]:
    at = 0
    while at < len(log):
        end = log.index(b"\n", at)
        kind, named, offset, size = log[at:end].decode().split(" ")
        data = end + 1 + int(named)
        at = data + int(size)
        moved = log[data:at] if kind != "m" else log[data:at].removeprefix(root.encode())
        yield Step(kind, log[end + 1 : data].decode().removeprefix(root), int(offset), moved)
