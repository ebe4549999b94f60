"""The hub client's two implementations, each with somebody on the other side."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from edge_common.azure_hub import AzureHub
from edge_common.fakes import FakeHub
from edge_common.hub import Handlers, Hub, Received
from edge_simulator.control.client import ControlClient
from support.simulator import SimulatorProcess, deployment, edge_environment, simulator

POLL_S = 0.02

ROUTES = {
    "there": 'FROM /messages/modules/peer/outputs/in INTO BrokeredEndpoint("/modules/subject/inputs/in")',
    "back": 'FROM /messages/modules/subject/outputs/out INTO BrokeredEndpoint("/modules/peer/inputs/out")',
}


@dataclass
class Ear:
    """Handlers that write down what they hear."""

    messages: "asyncio.Queue[Received]" = field(default_factory=asyncio.Queue)
    desired: "asyncio.Queue[Mapping[str, Any]]" = field(default_factory=asyncio.Queue)

    @property
    def handlers(self) -> Handlers:
        return Handlers(self.messages.put_nowait, self.desired.put_nowait, {})


class Bench(Protocol):
    """A hub under test, and what the test does on its other side."""

    @property
    def hub(self) -> Hub:
        """The one under test."""

    async def deliver(self, body: bytes, properties: Mapping[str, str]) -> None:
        """Have a message come to input ``in``."""

    async def arrived(self) -> tuple[bytes, Mapping[str, str]]:
        """The next message that the hub under test sent to output ``out``."""

    async def edit_twin(self, patch: Mapping[str, Any]) -> None:
        """Edit the desired properties."""

    async def reported(self) -> Mapping[str, Any]:
        """The reported properties, without their version."""


@dataclass
class FakeBench:
    hub: FakeHub = field(default_factory=FakeHub)
    _taken: int = 0

    async def deliver(self, body: bytes, properties: Mapping[str, str]) -> None:
        self.hub.deliver("in", body, properties)

    async def arrived(self) -> tuple[bytes, Mapping[str, str]]:
        self._taken += 1
        sent = await self.hub.sent_to("out", self._taken)
        return sent[self._taken - 1].body, sent[self._taken - 1].properties

    async def edit_twin(self, patch: Mapping[str, Any]) -> None:
        self.hub.edit_twin(patch)

    async def reported(self) -> Mapping[str, Any]:
        return self.hub.reported


@dataclass
class SimulatorBench:
    hub: AzureHub
    simulator: SimulatorProcess
    peer: AzureHub
    ear: Ear

    async def connection_of(self, module: str) -> AzureHub:
        """A further connection, not yet started."""
        return await connection_to(self.simulator.state, module)

    async def deliver(self, body: bytes, properties: Mapping[str, str]) -> None:
        await self.peer.send("in", body, properties)

    async def arrived(self) -> tuple[bytes, Mapping[str, str]]:
        message = await self.ear.messages.get()
        own = {key: value for key, value in message.properties.items() if not key.startswith("$.")}
        return message.body, own

    async def edit_twin(self, patch: Mapping[str, Any]) -> None:
        async with self.simulator.control() as control:
            await control.set_desired("subject", patch)

    async def reported(self) -> Mapping[str, Any]:
        async with self.simulator.control() as control:
            twin = await control.twin("subject")
        return {key: value for key, value in twin["reported"].items() if key != "$version"}


async def connection_to(state: Path, module: str) -> AzureHub:
    """A module's connection to the simulator of a state folder, not yet started."""
    async with ControlClient.connect(state) as control:
        credentials = await control.credentials(module)
    with edge_environment(credentials):
        return AzureHub.from_edge_environment()


@asynccontextmanager
async def simulator_bench(folder: Path) -> AsyncIterator[SimulatorBench]:
    with simulator(folder, deployment(routes=ROUTES), "--module", "subject", "--module", "peer") as process:
        subject = await connection_to(process.state, "subject")
        peer, ear = await connection_to(process.state, "peer"), Ear()
        await peer.start(ear.handlers)
        try:
            yield SimulatorBench(subject, process, peer, ear)
        finally:
            await subject.close()
            await peer.close()
