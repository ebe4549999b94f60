"""The whole suite in containers, pulled by digest from a registry with a password, while things go wrong."""

import io
import json
import os
import signal
from pathlib import Path
from typing import Any, Final

import docker
import pytest
from docker.models.containers import Container
from PIL import Image

from edge_examples.drops import Drop, deliver
from edge_examples.suite import Suite
from edge_examples.verdict import Verdict
from support.containers import LOGIN, MODULES, Pushed, containers_of, networks_of, run_in, template_with
from support.suite import Plant, kill

pytestmark = [pytest.mark.containers, pytest.mark.timeout(600)]

USERS: Final = {"ingest": 10001, "transform": 10002, "inference": 10003, "upload": 10004}
SECOND: Final = 10**9
"""As the engine counts, in nanoseconds."""

TENSORS: Final = "/tensors/filler"
PROBE: Final = """
import json, os, pathlib
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/1/status").read_text().splitlines())
def refused(action):
    try:
        action()
    except OSError as error:
        return error.strerror
print(json.dumps({
    "user": status["Uid"].split()[0], "group": status["Gid"].split()[0],
    "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
    "no new privileges": status["NoNewPrivs"].strip(),
    "root": refused(lambda: open("/opt/own", "w")), "become root": refused(lambda: os.setuid(0)),
}))
"""
FILL: Final = f"""
with open("{TENSORS}", "wb", buffering=0) as file:
    try:
        while file.write(bytes(1 << 20)):
            pass
    except OSError as error:
        print(error.strerror)
"""


class Site:
    """The suite in containers, with what the tests do to it."""

    def __init__(self, plant: Plant, client: docker.DockerClient, suite: Suite) -> None:
        self.plant = plant
        self.suite = suite
        self._client = client
        self._closed: dict[str, float] = {}

    def container(self, module: str) -> Container:
        return containers_of(self._client, self.plant.folders.state)[module]

    @property
    def network(self) -> Any:
        (network,) = networks_of(self._client, self.plant.folders.state)
        return network

    async def feed(self, start: int, end: int) -> None:
        self._closed |= await self.plant.feed(self.plant.drops[start:end])

    async def until_stored(self, count: int) -> None:
        counts: dict[str, int] = {}
        while sum(counts.get(state, 0) for state in ("accepted", "uploaded", "done")) < count:
            await self.suite.pause()
            counts = await self.suite.ledger()

    async def until_health(self, module: str, status: str) -> None:
        while self.container(module).attrs["State"]["Health"]["Status"] != status:
            await self.suite.pause()

    async def verdict(self) -> Verdict:
        counts = await self.suite.until_settled(len(self.plant.drops))
        return self.plant.verdict(self._closed, counts)


def change(pushed: Pushed, **host: Any) -> dict[str, Any]:
    """Take every image by its digest; `host` changes modules' HostConfig."""
    modules = {
        name: {"settings": {"image": image, "createOptions": {"HostConfig": host.get(name, {})}}}
        for name, image in pushed.images.items()
    }
    credentials = {"registry": {"address": pushed.host, **LOGIN}}
    return {"runtime": {"settings": {"registryCredentials": credentials}}, "modules": modules}


def running(plant: Plant, manifest: Path) -> Any:
    return plant.running("--engine", "docker", manifest=manifest)


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    return Plant.build(tmp_path, 60)


@pytest.fixture
def manifest(tmp_path: Path, pushed: Pushed) -> Path:
    return template_with(tmp_path, change(pushed))


async def begin(plant: Plant, client: docker.DockerClient, suite: Suite) -> Site:
    await suite.edit_twin("ingest", {"leaseSeconds": 3})
    await suite.swap(plant.models[0].desired())
    return Site(plant, client, suite)


async def test_the_job_passes_and_the_hardening_holds(
    plant: Plant, manifest: Path, client: docker.DockerClient
) -> None:
    async with running(plant, manifest) as suite:
        site = await begin(plant, client, suite)
        await site.feed(0, 30)
        await suite.swap(plant.models[1].desired())
        await site.feed(30, 60)
        for module in MODULES:
            _check_hardening(site.container(module), USERS[module])
        verdict = await site.verdict()
    assert verdict.clean, verdict.wrong
    assert verdict.predicted == 60
    assert not networks_of(client, plant.folders.state)


def _check_hardening(container: Container, user: int) -> None:
    assert json.loads(run_in(container, PROBE)) == {
        "user": str(user),
        "group": "10000",
        "capabilities": 0,
        "no new privileges": "1",
        "root": "Read-only file system",
        "become root": "Operation not permitted",
    }
    host = container.attrs["HostConfig"]
    assert (host["PidsLimit"], host["ReadonlyRootfs"]) == (256, True)
    assert host["Memory"] == _memory_limit(container)


def _memory_limit(container: Container) -> int:
    v1, v2 = "/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"
    code = f"import os; print(open('{v2}' if os.path.exists('{v2}') else '{v1}').read())"
    return int(run_in(container, code))


@pytest.mark.parametrize("module", MODULES)
async def test_a_killed_container_changes_nothing_but_time(
    plant: Plant, manifest: Path, client: docker.DockerClient, module: str
) -> None:
    async with running(plant, manifest) as suite:
        site = await begin(plant, client, suite)
        await site.feed(0, 30)
        await site.until_stored(5)
        killed = await kill(suite, module)
        await site.feed(30, 60)
        verdict = await site.verdict()
        assert await suite.process_of(module) not in {killed, None}
    assert verdict.clean, verdict.wrong


@pytest.mark.parametrize("cut", [("upload",), MODULES], ids=["upload", "everything"])
async def test_a_lost_network_changes_nothing_but_time(
    plant: Plant, manifest: Path, client: docker.DockerClient, cut: tuple[str, ...]
) -> None:
    """What is connected again has another address, which modules find out by their keep-alive: up to two minutes."""
    async with running(plant, manifest) as suite:
        site = await begin(plant, client, suite)
        await site.feed(0, 30)
        await site.until_stored(5)
        for module in cut:
            site.network.disconnect(site.container(module))
        await site.feed(30, 60)
        for _ in range(20):
            await suite.pause()
        assert (await suite.ledger()).get("uploaded", 0) < 60
        for module in cut:
            site.network.connect(site.container(module), aliases=[module])
        verdict = await site.verdict()
    assert verdict.clean, verdict.wrong


async def test_a_file_that_takes_more_memory_than_there_is_stops_no_other(
    plant: Plant, pushed: Pushed, tmp_path: Path, client: docker.DockerClient
) -> None:
    limit = 200 << 20
    small = change(pushed, transform={"Memory": limit, "MemorySwap": limit})
    bomb = io.BytesIO()
    Image.new("RGB", (9000, 9000)).save(bomb, "png")
    async with running(plant, template_with(tmp_path, small)) as suite:
        site = await begin(plant, client, suite)
        await suite.edit_twin("ingest", {"leaseSeconds": 2, "maxAttempts": 1})
        deliver(Drop("bomb.png", bomb.getvalue()), plant.folders.share)
        await site.feed(0, 60)
        await site.until_stored(60)
        while (transform := await _status(suite, "transform"))["restarts"] == 0:
            await suite.pause()
    assert transform["exitCode"] == 137


async def _status(suite: Suite, module: str) -> dict[str, Any]:
    modules = (await suite._control.status())["modules"]
    return next(entry for entry in modules if entry["name"] == module)


async def test_a_full_tensor_store_waits_for_room(plant: Plant, manifest: Path, client: docker.DockerClient) -> None:
    async with running(plant, manifest) as suite:
        site = await begin(plant, client, suite)
        assert run_in(site.container("transform"), FILL) == "No space left on device"
        await site.feed(0, 60)
        for _ in range(20):
            await suite.pause()
        assert (await suite.ledger()).get("quarantined", 0) == 0
        assert (await suite.ledger()).get("uploaded", 0) == 0
        run_in(site.container("transform"), f"import os; os.unlink('{TENSORS}')")
        verdict = await site.verdict()
    assert verdict.clean, verdict.wrong


async def test_the_engine_knows_whether_a_module_answers(
    plant: Plant, tmp_path: Path, pushed: Pushed, client: docker.DockerClient
) -> None:
    """The check is the image's; how often it is made is the deployment's, here more often than by default."""
    document = change(pushed)
    for entry in document["modules"].values():
        entry["settings"]["createOptions"]["Healthcheck"] = {"Interval": SECOND, "Timeout": SECOND}
    async with running(plant, template_with(tmp_path, document)) as suite:
        site = await begin(plant, client, suite)
        for module in MODULES:
            await site.until_health(module, "healthy")
        transform = site.container("transform").attrs["State"]["Pid"]
        os.kill(transform, signal.SIGSTOP)
        await site.until_health("transform", "unhealthy")
        os.kill(transform, signal.SIGCONT)
        await site.until_health("transform", "healthy")


@pytest.mark.parametrize("module", MODULES)
def test_an_image_alone_says_in_one_sentence_what_is_missing(
    client: docker.DockerClient, images: dict[str, str], module: str
) -> None:
    container = client.containers.create(images[module], network_mode="none", read_only=True)
    try:
        container.start()
        assert container.wait()["StatusCode"] not in {0, 137}
        said = container.logs().decode()
    finally:
        container.remove(force=True)
    assert said.startswith(f"edge-{module}: environment: STATE_DIR: Field required; ")
    assert len(said.splitlines()) == 1
