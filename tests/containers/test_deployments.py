"""The simulator with containers in the place of processes, and what its user sees when something is missing."""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import docker
import pytest

from edge_simulator.agent.containers.project import Project
from edge_simulator.state import State
from support.containers import Pushed, containers_of, networks_of
from support.simulator import COMMAND, SimulatorProcess, deployment, module, simulator

pytestmark = pytest.mark.containers

FAST = ("--engine", "docker", "--restart-backoff", "0.1")
WAIT = "import signal; print('up', flush=True); signal.pause()"
SERVE = """
import http.server, os
os.chdir("/shared")
open("page", "w").write("hello")
http.server.test(http.server.SimpleHTTPRequestHandler, port=8000)
"""
FETCH = """
import time, urllib.request
while True:
    try:
        print(urllib.request.urlopen("http://server:8000/page").read(), open("/shared/page").read(), flush=True)
        time.sleep(600)
    except OSError:
        time.sleep(0.1)
"""
SHARED = {
    "Target": "/shared",
    "Source": "shared",
    "VolumeOptions": {"DriverConfig": {"Options": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,mode=1777"}}},
}


def _python(image: str, code: str, host: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    entry = module("python3", "-u", "-c", code, create_options={"HostConfig": host or {}}, **changes)
    entry["settings"]["image"] = image
    return entry


async def _line(running: SimulatorProcess, name: str, text: str) -> None:
    log = running.state / "logs" / f"{name}.log"
    while text not in (log.read_text() if log.exists() else ""):
        await asyncio.sleep(0.05)


async def _status(running: SimulatorProcess, name: str, status: str) -> dict[str, Any]:
    async with running.control() as control:
        while True:
            modules = {entry["name"]: entry for entry in (await control.status())["modules"]}
            if modules[name]["status"] == status:
                return dict(modules[name])
            await asyncio.sleep(0.05)


async def test_modules_share_a_volume_and_know_each_other_by_name(images: dict[str, str], tmp_path: Path) -> None:
    host = {"Mounts": [SHARED], "ReadonlyRootfs": True}
    modules = {name: _python(images["ingest"], code, host) for name, code in (("server", SERVE), ("client", FETCH))}
    with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
        await _line(running, "client", "b'hello' hello")


async def test_nothing_outlives_a_killed_simulator_but_its_volumes(
    client: docker.DockerClient, images: dict[str, str], tmp_path: Path
) -> None:
    modules = {"m": _python(images["ingest"], WAIT, {"Mounts": [SHARED]})}
    with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
        await _line(running, "m", "up")
        assert containers_of(client, running.state).keys() == {"m"}
        running.kill()
        while containers_of(client, running.state) or networks_of(client, running.state):
            await asyncio.sleep(0.05)
        running.start()
        await _status(running, "m", "running")


async def test_what_a_crash_of_the_machine_left_is_removed(
    client: docker.DockerClient, images: dict[str, str], tmp_path: Path
) -> None:
    one = SimulatorProcess.in_folder(tmp_path, deployment(routes={}), *FAST)
    one.state.mkdir()
    left = Project.of(State(one.state), "an earlier run")
    client.networks.create(left.name, labels=left.labels)
    client.containers.create(images["ingest"], name=left.of_module("m"), labels=left.labels, network=left.name)
    one.start()
    try:
        assert not containers_of(client, one.state)
        assert len(networks_of(client, one.state)) == 1
    finally:
        one.stop()
    assert not networks_of(client, one.state)


async def test_volumes_go_with_the_state_folder(
    client: docker.DockerClient, images: dict[str, str], tmp_path: Path
) -> None:
    modules = {"m": _python(images["ingest"], WAIT, {"Mounts": [SHARED]})}
    names = []
    for _ in range(2):
        with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
            await _status(running, "m", "running")
            (volume,) = client.volumes.list(filters={"label": f"edge-simulator.state={running.state}"})
            names.append(volume.name)
        (running.state / "device.key").unlink()
    assert names[0] != names[1]


def test_without_an_engine_one_sentence_says_so(tmp_path: Path) -> None:
    manifest = SimulatorProcess.in_folder(tmp_path, deployment(routes={}), *FAST).manifest
    command = [str(COMMAND), "run", str(manifest), "--engine", "docker", "--state", str(tmp_path / "state")]
    env = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: no container engine answers: start dockerd")


@pytest.mark.parametrize(
    ("image", "policy", "reason"),
    [
        ("no-such/image:1", "never", "is not here, and imagePullPolicy is never: build it"),
        ("127.0.0.1:1/image:1", "on-create", "connection refused"),
    ],
)
async def test_a_missing_image_says_what_to_do(image: str, policy: str, reason: str, tmp_path: Path) -> None:
    modules = {"m": _python(image, WAIT, imagePullPolicy=policy)}
    with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
        assert reason in (await _status(running, "m", "failed"))["reason"]


async def test_a_pull_without_a_login_is_denied(pushed: Pushed, tmp_path: Path) -> None:
    modules = {"m": _python(pushed.images["ingest"], WAIT)}
    with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
        reason = (await _status(running, "m", "failed"))["reason"]
    assert "no basic auth credentials" in reason
    assert "have the registry's login in registryCredentials" in reason


async def test_what_the_engine_refuses_to_start_is_said(images: dict[str, str], tmp_path: Path) -> None:
    modules = {"m": _python(images["ingest"], WAIT, {"Runtime": "no-such-runtime"})}
    with simulator(tmp_path, deployment(routes={}, modules=modules), *FAST) as running:
        assert "no-such-runtime" in (await _status(running, "m", "failed"))["reason"]
