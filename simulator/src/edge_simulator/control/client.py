"""The commands' end of the control API."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

import aiohttp
from yarl import URL

from edge_simulator.errors import NotRunningError, SimulatorError
from edge_simulator.faults import Area
from edge_simulator.state import State

_BASE: Final = "http://simulator"
_LONGEST_EVENT: Final = 1 << 20


class ControlClient:
    """Speaks to the simulator of a state folder."""

    def __init__(self, session: aiohttp.ClientSession, state: Path) -> None:
        self._session = session
        self._state = state

    @classmethod
    @asynccontextmanager
    async def connect(cls, state: Path) -> AsyncIterator[Self]:
        """Give a client; the connection is made by the first call."""
        connector = aiohttp.UnixConnector(str(State(state).control_socket))
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with aiohttp.ClientSession(
            _BASE, connector=connector, timeout=timeout, read_bufsize=_LONGEST_EVENT
        ) as session:
            yield cls(session, state)

    async def status(self) -> dict[str, Any]:
        """Return how the simulator and its modules are."""
        return await self._call("GET", "/status")

    async def twin(self, module: str) -> dict[str, Any]:
        """Return a module's twin."""
        return await self._call("GET", f"/twins/{module}")

    async def set_desired(self, module: str, patch: object) -> int:
        """Change desired properties, and return their new version."""
        answer = await self._call("PATCH", f"/twins/{module}/desired", json=patch)
        return int(answer["version"])

    async def credentials(self, module: str) -> dict[str, str]:
        """Return the environment that lets a process connect as `module`."""
        return await self._call("GET", f"/modules/{module}/credentials")

    async def connection_string(self, module: str) -> dict[str, str]:
        """Return the environment that does the same without the workload API."""
        return await self._call("GET", f"/modules/{module}/connection-string")

    async def hand_over(self, module: str) -> bool:
        """Stop a module until its next `restart`, and return whether the simulator is the one who runs it."""
        answer = await self._call("POST", f"/modules/{module}/hand-over")
        return bool(answer["stopped"])

    async def send(self, module: str, module_input: str, body: bytes, properties: Mapping[str, str]) -> None:
        """Put a message on a module's input."""
        path = URL(f"/modules/{quote(module)}/inputs/{quote(module_input, safe='')}", encoded=True)
        await self._call("POST", path.with_query(properties), data=body)

    async def call(self, module: str, method: str, payload: object, timeout_s: int) -> dict[str, Any]:
        """Call a module's direct method, and return `status` and `payload` of its answer."""
        body = {"methodName": method, "payload": payload, "responseTimeoutInSeconds": timeout_s}
        return await self._call("POST", f"/modules/{module}/methods", json=body)

    async def service(self) -> dict[str, str]:
        """Return how to reach the service API: `connectionString`, and `certificate`, the path of whom to trust."""
        return await self._call("GET", "/service")

    async def inject_fault(self, area: Area, module: str, effect: str, lasts_s: float, delay_s: float = 0) -> None:
        """Begin a fault, in place of the one that its area and module had."""
        body = {"effect": effect, "seconds": lasts_s, "delaySeconds": delay_s}
        await self._call("PUT", f"/faults/{area}/{module}".rstrip("/"), json=body)

    async def lift_fault(self, area: Area, module: str = "") -> None:
        """End a fault, if it is there."""
        await self._call("DELETE", f"/faults/{area}/{module}".rstrip("/"))

    async def kill(self, module: str) -> None:
        """Kill a module's processes."""
        await self._call("POST", f"/modules/{module}/kill")

    async def restart(self, module: str) -> None:
        """Stop a module and start it again, also one that was handed over."""
        await self._call("POST", f"/modules/{module}/restart")

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Give what goes to the cloud from now on, until the simulator ends."""
        async with self._request("GET", "/events") as response:
            yield (json.loads(line) async for line in response.content)

    async def _call(self, method: str, path: str | URL, **body: Any) -> dict[str, Any]:
        async with self._request(method, path, **body) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    @asynccontextmanager
    async def _request(self, method: str, path: str | URL, **body: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send a request, with a body as `json` or as bytes in `data`.

        Raises:
            NotRunningError: nobody is there to take it, or to finish the answer.
            SimulatorError: it was refused, and why.
        """
        try:
            async with self._session.request(method, path, **body) as response:
                if not response.ok:
                    raise SimulatorError((await response.json())["message"])
                yield response
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise NotRunningError(
                f"no simulator runs on state folder {self._state}; start one with"
                f" `edge-simulator run FILE --state {self._state}`"
            ) from error
