"""Modules that speak to a simulator through the unmodified SDK."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any, Protocol, Self

import pytest
from azure.iot.device import Message
from azure.iot.device.aio import IoTHubModuleClient
from azure.iot.device.exceptions import ConnectionDroppedError, NoConnectionError

from support.simulator import SimulatorProcess, edge_environment


class Module:
    """The SDK's asynchronous client; what it hears is brought over from its own thread."""

    def __init__(self, simulator: SimulatorProcess, name: str, *, reconnects: bool = True) -> None:
        with edge_environment(simulator.credentials(name)):
            self.client = IoTHubModuleClient.create_from_edge_environment(
                connection_retry=reconnects, connection_retry_interval=1
            )
        self.messages: asyncio.Queue[Message] = asyncio.Queue()
        self.patches: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def connect(self) -> Self:
        """Connect, and do not listen to anything yet."""
        await self.client.connect()
        return self

    async def listen(self) -> Self:
        """Connect and listen to messages and patches; the handlers come first, as the SDK drops what precedes them."""
        self.client.on_message_received = _into(self.messages)
        await self.client.connect()
        await self.client.get_twin()
        self.client.on_twin_desired_properties_patch_received = _into(self.patches)
        return self

    async def send(self, body: bytes, output: str = "o", **properties: str) -> None:
        """Send a message, and wait for its acknowledgement."""
        message = Message(body)
        message.custom_properties = properties
        await self.client.send_message_to_output(message, output)

    async def insist(self, body: bytes, output: str = "o") -> None:
        """Send a message until it is acknowledged: the SDK refuses some while it has not noticed a lost connection."""
        while True:
            with suppress(ConnectionDroppedError, NoConnectionError):
                return await self.send(body, output)

    async def bodies(self, count: int) -> list[bytes]:
        """Return the bodies of the next messages."""
        return [(await self.messages.get()).data for _ in range(count)]


def _into(queue: "asyncio.Queue[Any]") -> Callable[[Any], None]:
    loop = asyncio.get_running_loop()

    def put(item: Any) -> None:
        loop.call_soon_threadsafe(queue.put_nowait, item)

    return put


class Make(Protocol):
    """What fixture `module` gives."""

    def __call__(self, simulator: SimulatorProcess, name: str, **options: Any) -> Module:
        """Make a module, not yet connected."""


@pytest.fixture
async def module() -> AsyncIterator[Make]:
    """Give a function that makes modules; all of them are shut down in the end."""
    async with AsyncExitStack() as stack:

        def make(simulator: SimulatorProcess, name: str, **options: Any) -> Module:
            made = Module(simulator, name, **options)
            stack.push_async_callback(made.client.shutdown)
            return made

        yield make
