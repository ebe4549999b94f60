"""Simulators as processes of their own, and deployments for them."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Self

from edge_simulator.control.client import ControlClient

_NUMBERS = count()
COMMAND = Path(sys.executable).with_name("edge-simulator")


def module(*command: str, **changes: Any) -> dict[str, Any]:
    """Return a deployment's entry for a module that runs `command`; `changes` replace parts of it."""
    create_options = {"Entrypoint": list(command), **changes.pop("create_options", {})}
    return {
        "type": "docker",
        "status": "running",
        "restartPolicy": "always",
        "settings": {"image": "test:1.0", "createOptions": json.dumps(create_options)},
        **changes,
    }


def deployment(
    *,
    routes: Mapping[str, Any],
    modules: Mapping[str, Any] | None = None,
    twins: Mapping[str, Any] | None = None,
    ttl_s: int = 7200,
) -> dict[str, Any]:
    """Return a deployment manifest."""
    agent = {
        "schemaVersion": "1.1",
        "runtime": {"type": "docker", "settings": {"minDockerVersion": "v1.25"}},
        "systemModules": {},
        "modules": dict(modules or {}),
    }
    hub = {
        "schemaVersion": "1.1",
        "routes": dict(routes),
        "storeAndForwardConfiguration": {"timeToLiveSecs": ttl_s},
    }
    sections = {"$edgeAgent": agent, "$edgeHub": hub, **(twins or {})}
    return {"modulesContent": {name: {"properties.desired": desired} for name, desired in sections.items()}}


def own_address() -> str:
    """A loopback address of this process's own: while a simulator is down, no other one may take its place."""
    process = os.getpid()
    return f"127.{64 + process // 256 % 128}.{process % 256}.{next(_NUMBERS) % 254 + 1}"


@dataclass
class SimulatorProcess:
    """`edge-simulator run` as a process, with a log of its own in the folder of its manifest."""

    manifest: Path
    state: Path
    arguments: Sequence[str] = ()
    process: "subprocess.Popen[str] | None" = None

    @classmethod
    def in_folder(cls, folder: Path, manifest: Mapping[str, Any], *arguments: str) -> Self:
        """Return a simulator, not yet started, with its manifest and its state in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "deployment.json"
        path.write_text(json.dumps(manifest), encoding="utf-8")
        own = () if {"--address", "--devices", "--engine"} & {*arguments} else ("--address", own_address())
        return cls(path, folder / "state", (*own, *arguments))

    def start(self) -> None:
        """Start it, and wait until modules can connect."""
        command = [str(COMMAND), "run", str(self.manifest), "--state", str(self.state), *self.arguments]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith("ready: "):
            self.stop()
            raise AssertionError(f"the simulator did not start: {line}{self.log.read_text()}")

    def stop(self) -> int:
        """Stop it in order, and return its exit code."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it with SIGKILL."""
        self._end(signal.SIGKILL)

    def credentials(self, name: str, *arguments: str) -> dict[str, str]:
        """Return the environment that lets a process connect as a module."""
        words = shlex.split(self.run("credentials", name, *arguments))
        return dict(word.split("=", 1) for word in words if word != "export")

    def run(self, *arguments: str) -> str:
        """Run another command of `edge-simulator` on this simulator, and return what it prints."""
        command = [str(COMMAND), *arguments, "--state", str(self.state)]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def control(self) -> Any:
        """Return the control API's client as an asynchronous context."""
        return ControlClient.connect(self.state)

    @property
    def log(self) -> Path:
        """What it writes on standard error."""
        return self.manifest.with_name("simulator.log")

    def _end(self, signal_number: int) -> int:
        if self.process is None:
            return 0
        process, self.process = self.process, None
        process.send_signal(signal_number)
        with process:
            return process.wait(timeout=30)


@contextmanager
def simulator(folder: Path, manifest: Mapping[str, Any], *arguments: str) -> Iterator[SimulatorProcess]:
    """Give a running simulator, which is stopped at the end of the block."""
    one = SimulatorProcess.in_folder(folder, manifest, *arguments)
    one.start()
    try:
        yield one
    finally:
        one.stop()


@contextmanager
def edge_environment(credentials: Mapping[str, str]) -> Iterator[None]:
    """Put credentials where the SDK's `create_from_edge_environment` looks for them, and nowhere else."""
    before = dict(os.environ)
    os.environ.update(credentials)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
