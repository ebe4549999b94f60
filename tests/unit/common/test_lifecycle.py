import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from edge_common.errors import MalformedMessageError
from edge_common.fakes import FakeHub
from edge_common.hub import Received
from edge_common.lifecycle import Module, Wiring
from edge_common.metrics import Metrics
from edge_common.settings import TwinSettings
from edge_common.twin import SettingsKeeper


class Colour(TwinSettings):
    colour: str = "grey"


@dataclass
class Painter:
    """A module that writes down what happens to it."""

    seen: list[Any] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)
    failure: Exception | None = None

    def note(self, what: Any) -> None:
        self.seen.append(what)
        self.happened.set()

    async def until(self, what: Any) -> None:
        while what not in self.seen:
            self.happened.clear()
            await self.happened.wait()

    async def run(self) -> None:
        self.note("run")
        while self.failure is None:
            self.happened.clear()
            await self.happened.wait()
        raise self.failure

    async def configure(self, settings: Colour) -> None:
        self.note(settings.colour)

    async def paint(self, message: Received) -> None:
        if message.body == b"bad":
            raise MalformedMessageError("bad")
        self.note(message.body)

    async def drain(self) -> None:
        self.note("drained")

    async def section(self, value: Any, version: int) -> None:
        self.note((value, version))

    def wiring(self) -> Wiring[Colour]:
        return Wiring({"walls": self.paint}, self.run, self.configure, self.drain, {}, {"frame": self.section})


@asynccontextmanager
async def living(painter: Painter, hub: FakeHub, folder: Path, metrics: Metrics | None = None) -> AsyncIterator[None]:
    keeper = SettingsKeeper(Colour, folder / "settings.json", frozenset({"frame"}))
    module = Module(painter.wiring(), keeper, hub, metrics or Metrics(), {"module": "painter", "version": "1"})
    stop = asyncio.Event()
    life = asyncio.create_task(module.live(stop))
    await painter.until("run")
    yield
    stop.set()
    await life


async def test_a_module_is_configured_before_it_runs_and_drained_after(tmp_path: Path) -> None:
    painter, hub = Painter(), FakeHub()
    async with living(painter, hub, tmp_path):
        await hub.until_reported("status.state", "running")
    assert painter.seen[0] == "grey"
    assert painter.seen[-1] == "drained"
    assert hub.reported["status"] == {"state": "stopped", "module": "painter", "version": "1"}
    assert not hub.connected


async def test_a_twin_edit_reaches_the_module_and_is_reported(tmp_path: Path) -> None:
    painter, hub = Painter(), FakeHub()
    async with living(painter, hub, tmp_path):
        hub.edit_twin({"colour": "red", "frame": {"wide": True}})
        await painter.until("red")
        await painter.until(({"wide": True}, 2))
        hub.edit_twin({"colour": 7})
        await hub.until_reported("config.status", "refused")
    assert 7 not in painter.seen


async def test_malformed_messages_are_counted_and_the_next_one_is_handled(tmp_path: Path) -> None:
    painter, hub, metrics = Painter(), FakeHub(), Metrics()
    async with living(painter, hub, tmp_path, metrics):
        hub.deliver("walls", b"bad")
        hub.deliver("windows", b"lost")
        hub.deliver("walls", b"good")
        await painter.until(b"good")
    count = metrics.registry.get_sample_value
    assert count("edge_messages_malformed_total", {"input": "walls"}) == 1
    assert count("edge_messages_malformed_total", {"input": "windows"}) == 1
    assert count("edge_messages_received_total", {"input": "walls"}) == 2


async def test_ping_answers(tmp_path: Path) -> None:
    painter, hub = Painter(), FakeHub()
    async with living(painter, hub, tmp_path):
        assert await hub.invoke("ping") == (200, {"status": "ok", "module": "painter", "version": "1"})


async def test_failing_work_ends_the_module_after_draining(tmp_path: Path) -> None:
    painter, hub = Painter(), FakeHub()
    with pytest.raises(OSError, match="disk"):
        async with living(painter, hub, tmp_path):
            painter.failure = OSError("disk")
            painter.note("go on")
            await painter.until("drained")
    assert painter.seen[-1] == "drained"
