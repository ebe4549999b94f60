"""What every engine does with a module, as a process or as a container."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_simulator.agent.engine import Engine, Running
from edge_simulator.agent.engines import EngineName, engines
from edge_simulator.errors import LaunchError
from edge_simulator.manifest import ModuleSpec
from edge_simulator.manifest.options import parse
from edge_simulator.state import State
from support.containers import container_engine, image, remove_volumes

PAUSE = "import signal; print('up', flush=True); signal.pause()"
EXIT_ON_TERM = "import signal, sys; signal.signal(15, lambda *_: sys.exit(7)); print('up', flush=True); signal.pause()"


@dataclass
class Bench:
    """An engine, and what it launches."""

    engine: Engine
    state: State
    image: str
    launched: list[Running]

    async def launch(self, code: str, own: dict[str, str] | None = None, **host: Any) -> Running:
        command = ("python3", "-u", "-c", code)
        options = parse({"Entrypoint": list(command), "HostConfig": host})
        spec = ModuleSpec("m", self.image, "running", "never", 1, {"GIVEN": "manifest"}, options, command)
        running = await self.engine.launch(spec, own or {})
        self.launched.append(running)
        return running

    async def line(self, text: str) -> None:
        """Wait for a line in the module's log."""
        log = self.state.log("m")
        while text not in (log.read_text().splitlines() if log.exists() else ()):
            await asyncio.sleep(0.01)


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.containers)])
def name(request: pytest.FixtureRequest) -> EngineName:
    chosen: EngineName = request.param
    return chosen


@pytest.fixture
def built(name: EngineName, tmp_path: Path) -> Iterator[str]:
    if name == "process":
        yield "none"
        return
    with container_engine() as client:
        yield image(client, "ingest")
        remove_volumes(client, tmp_path)


@pytest.fixture
async def bench(name: EngineName, built: str, tmp_path: Path) -> AsyncIterator[Bench]:
    state = State(tmp_path / "state")
    with state.claim(), engines(name) as make:
        state.workload_socket.touch()
        placed = tmp_path / "placed"
        placed.mkdir()
        placed.chmod(0o777)
        bench = Bench(make(state, {"/host": placed}), state, built, [])
        yield bench
        for running in bench.launched:
            await running.stop()


def _command_line(pid: int) -> str:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_text()
    return ""


async def test_a_module_runs_to_its_end(bench: Bench) -> None:
    running = await bench.launch("raise SystemExit(3)")
    assert await running.wait() == 3
    assert await running.stop() == 3


async def test_what_it_prints_is_added_to_its_log(bench: Bench) -> None:
    for text in ("one", "two"):
        await (await bench.launch(f"import sys; print('{text}', file=sys.stderr)")).wait()
        await bench.launched.pop().stop()
    assert bench.state.log("m").read_text() == "one\ntwo\n"


async def test_it_sees_its_manifests_environment_and_its_own_over_it(bench: Bench) -> None:
    await bench.launch("import os; print(os.environ['GIVEN'])")
    await bench.line("manifest")
    await bench.launched.pop().stop()
    await bench.launch("import os; print(os.environ['GIVEN'])", {"GIVEN": "agent"})
    await bench.line("agent")


async def test_it_is_asked_to_stop(bench: Bench) -> None:
    running = await bench.launch(EXIT_ON_TERM)
    await bench.line("up")
    assert await running.stop() == 7


async def test_its_process_is_this_machines(bench: Bench) -> None:
    running = await bench.launch(EXIT_ON_TERM)
    await bench.line("up")
    assert "signal.pause()" in _command_line(running.pid)
    os.kill(running.pid, signal.SIGKILL)
    assert await running.wait() in {-signal.SIGKILL, 128 + signal.SIGKILL}
    assert not _command_line(running.pid)


async def test_a_frozen_one_stands_still_and_can_be_stopped(bench: Bench) -> None:
    running = await bench.launch(EXIT_ON_TERM)
    await bench.line("up")
    running.signal(signal.SIGSTOP)
    running.signal(signal.SIGCONT)
    running.signal(signal.SIGSTOP)
    assert await running.stop() == 7


async def test_what_has_ended_takes_no_signals(bench: Bench) -> None:
    running = await bench.launch("")
    await running.wait()
    for number in (signal.SIGCONT, signal.SIGKILL):
        running.signal(number)


async def test_a_bind_shows_the_folder_that_stands_in_for_the_hosts(bench: Bench, tmp_path: Path) -> None:
    # As a process it has the folder under another path, which is what its environment says.
    code = "import os; open(os.environ['FOLDER'] + '/file', 'w').write('seen')"
    spec_binds = ["/host:/data"]
    options = parse({"Entrypoint": ["python3", "-c", code], "HostConfig": {"Binds": spec_binds}})
    env = {"FOLDER": "/data"}
    spec = ModuleSpec("m", bench.image, "running", "never", 1, env, options, ("python3", "-c", code))
    running = await bench.engine.launch(spec, {})
    bench.launched.append(running)
    assert await running.wait() == 0
    assert (tmp_path / "placed" / "file").read_text() == "seen"


async def test_what_cannot_start_says_why(bench: Bench) -> None:
    spec = ModuleSpec("m", "no-such:1", "running", "never", 1, {}, parse({}), (), pull_policy="never")
    with pytest.raises(LaunchError):
        await bench.engine.launch(spec, {})
