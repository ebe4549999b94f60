"""Servers at work, on one core, asked from another."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import asking
from bench.processor import Busy, family, seconds_of
from bench.servers import Server

SERVING: Final = min(os.sched_getaffinity(0))
ASKING: Final = max(os.sched_getaffinity(0))
"""The cores that servers run on, and who asks them."""

START_S: Final = 120
STOP_S: Final = 15


@dataclass(frozen=True)
class Load:
    """What came of asking for a while.

    Attributes:
        rate: Answers a second.
        p50: Milliseconds to an answer.
        p99: Likewise.
        cpu_ms: CPU milliseconds of the server for an answer.
        others: CPUs that others kept busy.
    """

    rate: float
    p50: float
    p99: float
    cpu_ms: float
    others: float

    @classmethod
    def of(cls, said: Mapping[str, Any], cpu_s: float, others: float) -> "Load":
        """Read what a program has told."""
        answers = said["answers"]
        return cls(answers / said["seconds"], said["p50"], said["p99"], cpu_s / answers * 1000, others)


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        server: Which.
        pid: Its process.
        answer: Its first one.
    """

    server: Server
    pid: int
    answer: bytes

    async def load(self, clients: int, seconds: float) -> Load:
        """Ask for so long."""
        program = Path(asking.__file__)
        arguments = [*self.server.question.arguments(self.server.port), f"--clients={clients}", f"--seconds={seconds}"]
        before, used = Busy.now(), [self._cpu_s, _asking_s()]
        said = await told([self.server.python, program, *arguments], ASKING)
        own = [now - then for now, then in zip([self._cpu_s, _asking_s()], used, strict=True)]
        return Load.of(said, own[0], before.others(own))

    @property
    def _cpu_s(self) -> float:
        return sum(map(seconds_of, family(self.pid)))


async def bare(graph: Path, sample: Path, seconds: float) -> Load:
    """What onnxruntime alone does in so long."""
    before, used = Busy.now(), _asking_s()
    said = await told([sys.executable, "-m", "bench.bare", graph, sample, seconds], SERVING)
    return Load.of(said, said["cpu_s"], before.others([_asking_s() - used]))


def _asking_s() -> float:
    """CPU seconds of the programs that were told, with their starts."""
    times = os.times()
    return times.children_user + times.children_system


async def told(command: Sequence[object], core: int) -> dict[str, Any]:
    """What a program on one core prints.

    Raises:
        RuntimeError: It fails.
    """
    process = await asyncio.create_subprocess_exec(*_on(core, command), stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{command[1]} ended with status {process.returncode}")
    said: dict[str, Any] = json.loads(output)
    return said


@asynccontextmanager
async def running(server: Server, log: Path) -> AsyncIterator[Running]:
    """A server, from its first answer on; it ends with the context.

    Raises:
        RuntimeError: It ends, or does not answer.
    """
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *_on(SERVING, server.command),
            env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **server.environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    ended = asyncio.create_task(process.wait())
    try:
        yield Running(server, process.pid, await _first_answer(server, ended, log))
    finally:
        await _end(process.pid, ended)


async def _first_answer(server: Server, ended: "asyncio.Task[int]", log: Path) -> bytes:
    answer = log.with_suffix(".answer")
    command = [server.python, asking.__file__, *server.question.arguments(server.port), f"--answer={answer}"]
    until = time.monotonic() + START_S
    while not ended.done() and time.monotonic() < until:
        with log.with_suffix(".trial").open("wb") as output:
            trial = await asyncio.create_subprocess_exec(*map(str, command), stderr=output)
            if not await trial.wait():
                return answer.read_bytes()
        await asyncio.sleep(0.5)
    raise RuntimeError(f"{server.name} has ended or does not answer: {log} and {output.name} say why")


async def _end(pid: int, ended: "asyncio.Task[int]") -> None:
    """End a server, by force what does not end by itself."""
    members = family(pid)
    _signal([pid], signal.SIGTERM)
    with suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            await asyncio.shield(ended)
    _signal(members, signal.SIGKILL)
    await ended


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _on(core: int, command: Sequence[object]) -> list[str]:
    return ["taskset", "--cpu-list", str(core), *map(str, command)]
