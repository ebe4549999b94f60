"""What becomes of work that nobody waits for any more by the time its turn comes."""

import asyncio
import math
from threading import Event

import pytest
from prometheus_client import CollectorRegistry

from edge_common.errors import ItemError
from edge_common.fakes import FakeClock
from edge_inference.batching.batcher import TOO_LATE, Batcher
from edge_inference.batching.policy import Limits
from edge_inference.batching.runs import Asking
from edge_inference.batching.turns import Source
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from support.models import contract
from support.sessions import FakeSession, fake_model

V1 = contract("v1", side=2)
ROUTES, HTTP = Source("routes"), Source("http", "client")


class Desk:
    """A batcher of one caller, which is held up."""

    def __init__(self) -> None:
        self.clock, self.go_on, self.held_up = FakeClock(), Event(), asyncio.Event()
        self.batcher = Batcher(lambda: Limits(1, 8), self.clock, Measures(CollectorRegistry()))
        self.begun: list[str] = []
        self._model = fake_model(V1, FakeSession(V1, lambda rows: rows))

    def ask(self, source: Source, name: str, patience: float = math.inf) -> asyncio.Task[object]:
        def work(_: LoadedModel) -> Asking[str]:
            self.begun.append(name)
            return name
            yield

        return asyncio.create_task(self.batcher.do(source, 1, lambda: self._model, work, patience))

    def hold_up(self) -> asyncio.Task[object]:
        loop = asyncio.get_running_loop()

        def work(_: LoadedModel) -> Asking[None]:
            loop.call_soon_threadsafe(self.held_up.set)
            self.go_on.wait(60)
            return
            yield

        return asyncio.create_task(self.batcher.do(HTTP, 1, lambda: self._model, work))


async def test_what_is_too_late_does_not_share_a_run_either() -> None:
    desk = Desk()
    first = desk.hold_up()
    await desk.held_up.wait()
    patient, late = desk.ask(ROUTES, "patient"), desk.ask(HTTP, "late", patience=1.0)
    await asyncio.sleep(0)
    await desk.clock.advance(2.0)
    desk.go_on.set()
    await asyncio.gather(first, patient)
    with pytest.raises(ItemError) as refused:
        await late
    assert (refused.value.code, desk.begun) == (TOO_LATE, ["patient"])
    desk.batcher.close()


async def test_what_is_cancelled_does_not_share_a_run_either() -> None:
    desk = Desk()
    first = desk.hold_up()
    await desk.held_up.wait()
    patient, gone, last = desk.ask(ROUTES, "patient"), desk.ask(HTTP, "gone"), desk.ask(HTTP, "last")
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    desk.go_on.set()
    await asyncio.gather(first, patient, last)
    assert desk.begun == ["patient", "last"]
    desk.batcher.close()
