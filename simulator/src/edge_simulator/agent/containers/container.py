"""A module's container, from its creation to its removal."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from docker import APIClient
from docker.errors import DockerException, NotFound

from edge_simulator.agent.containers.client import explained
from edge_simulator.agent.process import STOP_TIMEOUT_S

# What Docker says of a process that SIGKILL has ended.
_KILLED: Final = 128 + signal.SIGKILL

_log = logging.getLogger(__name__)


class Started(NamedTuple):
    """A container that has just been started, and its process."""

    id: str
    pid: int


def start(client: APIClient, request: Mapping[str, Any], name: str) -> Started:
    """Create a container and start it.

    Raises:
        ContainerError: the engine refuses; nothing is left.
    """
    with explained(f"container {name}"):
        container = client.create_container_from_config(request, name)["Id"]
        try:
            client.start(container)
        except DockerException:
            client.remove_container(container, force=True, v=True)
            raise
        return Started(container, client.inspect_container(container)["State"]["Pid"])


class Container:
    """A container that runs; a thread of its own brings its output to the log, and its exit code."""

    def __init__(self, client: APIClient, started: Started, log: Path) -> None:
        self.pid = started.pid
        self._client = client
        self._id = started.id
        follower = ThreadPoolExecutor(1, thread_name_prefix=log.stem)
        self._ended = asyncio.get_running_loop().run_in_executor(follower, _follow, client, started, log)
        follower.shutdown(wait=False)

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def stop(self) -> int:
        await asyncio.to_thread(self._stop)
        exit_code = await self.wait()
        await asyncio.to_thread(self._remove)
        return exit_code

    def signal(self, number: signal.Signals) -> None:
        with explained(f"signal {number.name}"), suppress(NotFound):
            state = self._state()
            if number == signal.SIGSTOP:
                self._client.pause(self._id)
            elif number == signal.SIGCONT and state["Paused"]:
                self._client.unpause(self._id)
            elif state["Running"]:
                self._client.kill(self._id, number)

    def _stop(self) -> None:
        self.signal(signal.SIGCONT)
        with explained("stop"), suppress(NotFound):
            self._client.stop(self._id, timeout=int(STOP_TIMEOUT_S))

    def _remove(self) -> None:
        with explained("removal"), suppress(NotFound):
            self._client.remove_container(self._id, force=True, v=True)

    def _state(self) -> Any:
        return self._client.inspect_container(self._id)["State"]


def _follow(client: APIClient, started: Started, log: Path) -> int:
    with explained("end of a container"):
        try:
            with log.open("ab", buffering=0) as file:
                for piece in client.logs(started.id, stream=True, follow=True):
                    file.write(piece)
            exit_code: int = client.wait(started.id)["StatusCode"]
            ended = client.inspect_container(started.id)
        except NotFound:  # somebody has removed it
            return _KILLED
    if ended["State"]["OOMKilled"]:
        _log.warning("%s had more memory than its limit of %d bytes", ended["Name"], ended["HostConfig"]["Memory"])
    return exit_code
