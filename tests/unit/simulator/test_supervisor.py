"""One module kept running by its policy."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from edge_simulator.agent import process
from edge_simulator.agent.environment import search_path
from edge_simulator.agent.restart import Backoff
from edge_simulator.agent.supervisor import ModuleStatus, Supervisor
from edge_simulator.errors import ModuleNotRunningError
from edge_simulator.manifest import CreateOptions, ModuleSpec

OPTIONS = CreateOptions(env={}, entrypoint=None, cmd=None, working_dir=None, binds=[], mounts=[], tmpfs={}, raw={})


def _spec(*command: str, policy: str = "always", status: str = "running") -> ModuleSpec:
    return ModuleSpec("m", "image:1", status, policy, 1, {}, OPTIONS, command)  # type: ignore[arg-type]


def _python(code: str, policy: str = "always") -> ModuleSpec:
    return _spec(sys.executable, "-c", code, policy=policy)


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().split()[2]


class Hurried(Backoff):
    """Hardly waits, and forgets no restart: on a busy machine even ``false`` may run for sixty of such short units."""

    def next_wait(self, _ran_s: float) -> float | None:
        return super().next_wait(0)


class Bench:
    """A supervisor whose launches can be waited for."""

    def __init__(self, folder: Path, spec: ModuleSpec, backoff_unit_s: float = 0.001) -> None:
        self.folder = folder
        self.launches: asyncio.Queue[int] = asyncio.Queue()
        self.supervisor = Supervisor(spec, self._launch, Hurried(backoff_unit_s))

    async def _launch(self, spec: ModuleSpec) -> process.ModuleProcess:
        running = await process.start(
            process.find(spec.command, "m", search_path()), {}, self.folder, self.folder / "log"
        )
        self.launches.put_nowait(running.pid)
        return running

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.supervisor.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_killed_module_comes_back(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _python("import signal; signal.pause()"))
    async with bench.running():
        for _ in range(3):
            os.kill(await bench.launches.get(), signal.SIGKILL)
        pid = await bench.launches.get()
        assert bench.supervisor.status.restarts == 3
        assert bench.supervisor.status.exit_code == -signal.SIGKILL
    assert bench.supervisor.status.status == "stopped"
    assert bench.supervisor.status.pid is None
    assert not _exists(pid)


async def test_a_module_that_never_restarts_rests(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _python("raise SystemExit(3)", "never"))
    await bench.supervisor.run()
    assert bench.launches.qsize() == 1
    assert bench.supervisor.status == ModuleStatus("failed", exit_code=3)


async def test_a_module_that_has_done_its_work_rests(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _python("", "on-failure"))
    await bench.supervisor.run()
    assert bench.supervisor.status == ModuleStatus("stopped", exit_code=0)


async def test_a_module_that_fails_too_often_is_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _spec("false"))
    await bench.supervisor.run()
    assert bench.launches.qsize() == 21
    assert bench.supervisor.status == ModuleStatus("failed", restarts=20, exit_code=1)


async def test_a_stopped_module_is_not_started(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _spec("false", status="stopped"))
    await bench.supervisor.run()
    assert bench.launches.qsize() == 0
    assert bench.supervisor.status == ModuleStatus("stopped")


async def test_a_module_that_cannot_start_says_why(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _spec("no-such-program"))
    await bench.supervisor.run()
    assert bench.supervisor.status.status == "failed"
    assert "not installed" in (bench.supervisor.status.reason or "")


async def test_nor_does_a_file_that_is_no_program(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"\x7fELF nonsense")
    file.chmod(0o755)
    bench = Bench(tmp_path, _spec(str(file)))
    await bench.supervisor.run()
    assert bench.supervisor.status.status == "failed"


async def test_a_restart_is_at_once_and_counts_for_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _python("import signal; signal.pause()", "never"))
    async with bench.running():
        first = await bench.launches.get()
        await bench.supervisor.restart()
        assert await bench.launches.get() != first
        assert not _exists(first)
        assert bench.supervisor.status.restarts == 0


async def test_a_module_that_waits_for_its_next_start_can_start_now(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _spec("false"), backoff_unit_s=3600)
    async with bench.running():
        await bench.launches.get()
        while bench.supervisor.status.status != "backoff":
            await asyncio.sleep(0)
        await bench.supervisor.restart()
        await bench.launches.get()


async def test_a_frozen_module_stands_still_and_can_be_stopped(tmp_path: Path) -> None:
    bench = Bench(tmp_path, _python("import signal; signal.pause()"))
    async with bench.running():
        pid = await bench.launches.get()
        bench.supervisor.signal(signal.SIGSTOP)
        while _state(pid) != "T":
            await asyncio.sleep(0)
    assert bench.supervisor.status.exit_code == -signal.SIGTERM


async def test_what_does_not_run_takes_no_signals(tmp_path: Path) -> None:
    supervisor = Bench(tmp_path, _spec("false", status="stopped")).supervisor
    with pytest.raises(ModuleNotRunningError):
        supervisor.signal(signal.SIGKILL)
    with pytest.raises(ModuleNotRunningError):
        await supervisor.restart()
