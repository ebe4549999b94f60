import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge_common.fakes import FakeClock, FakeHub
from edge_common.lifecycle import Module, Surroundings
from edge_common.metrics import Metrics
from edge_common.settings import Environment
from edge_common.twin import SettingsKeeper
from edge_NAME.__main__ import wire
from edge_NAME.counting import CountsMessage
from edge_NAME.settings import Settings
from support.modules import PREDICTIONS


@asynccontextmanager
async def running(folder: Path, hub: FakeHub, clock: FakeClock) -> AsyncIterator[None]:
    metrics, stop = Metrics(), asyncio.Event()
    wiring = wire(Surroundings(Environment(state_dir=folder), hub, clock, metrics))
    module = Module(wiring, SettingsKeeper(Settings, folder / "settings.json"), hub, metrics, {})
    life = asyncio.create_task(module.live(stop))
    try:
        await hub.until_reported("status.state", "running")
        yield
    finally:
        stop.set()
        await life


def counts(hub: FakeHub) -> list[dict[str, int]]:
    return [dict(CountsMessage.decode(sent.body).counts) for sent in hub.sent]


async def test_what_came_is_counted_by_label_and_sent_once(tmp_path: Path) -> None:
    hub, clock = FakeHub(twin={"$version": 1, "seconds": 5}), FakeClock()
    async with running(tmp_path, hub, clock):
        for _ in range(2):
            hub.deliver("predictions", PREDICTIONS.encode())
        await clock.advance(20)
        assert counts(hub) == [{"7": 2}]


async def test_settings_take_effect_at_once(tmp_path: Path) -> None:
    hub, clock = FakeHub(), FakeClock()
    async with running(tmp_path, hub, clock):
        hub.edit_twin({"seconds": 5})
        await clock.advance(1)
        hub.deliver("predictions", PREDICTIONS.encode())
        await clock.advance(5)
        assert counts(hub) == [{"7": 1}]


async def test_what_cannot_be_read_is_dropped(tmp_path: Path) -> None:
    hub, clock = FakeHub(), FakeClock()
    async with running(tmp_path, hub, clock):
        hub.deliver("predictions", b"{}")
        hub.deliver("predictions", PREDICTIONS.encode())
        await clock.advance(60)
        assert counts(hub) == [{"7": 1}]
