"""The module finds out how a model runs best, tells of it, keeps it, and runs batches and requests accordingly."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from threading import Event
from typing import Any

import httpx
import pytest

from edge_inference.model import LoadedModel
from edge_inference.onnx_session import OnnxSession
from edge_inference.processors import usable
from edge_inference.retuning import PAUSE_S, QUIET_S
from edge_inference.session import Array, Session, Way
from edge_inference.tuning.choice import Choice
from edge_inference.tuning.trying import Bench
from support.benches import Preferring
from support.inference import Device
from support.loops import rest
from support.models import contract
from support.web import free_port
from support.web_client import INFER, request

V1, V2 = contract("v1"), contract("v2", side=6)
BEST = Choice(4, usable())


class Counting:
    """Opens graphs, writes down how many samples their runs have, and holds these up once it is told to."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.ways: list[Way] = []
        self.going = Event()
        self.going.set()

    def __call__(self, path: Path, providers: Sequence[str]) -> Session:
        return CountingSession(self, OnnxSession(path, providers))


class CountingSession:
    def __init__(self, counting: Counting, session: OnnxSession) -> None:
        self._counting, self._session = counting, session
        self.providers, self.inputs, self.outputs = session.providers, session.inputs, session.outputs
        self.way = session.way
        counting.ways.append(self.way)

    def anew(self, way: Way) -> Session:
        return CountingSession(self._counting, self._session.anew(way))

    def run(self, feeds: Mapping[str, Array], outputs: Sequence[str]) -> Sequence[Array]:
        [samples] = feeds.values()
        self._counting.sizes.append(len(samples))
        self._counting.going.wait(30)
        return self._session.run(feeds, outputs)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def bench() -> Preferring:
    return Preferring(BEST)


@pytest.fixture
async def tuned(tmp_path: Path, counting: Counting, bench: Preferring) -> AsyncIterator[Device]:
    """With a model that runs best in fours, and serves HTTP."""
    device = Device(tmp_path)
    device.bench = bench
    device.http = {"http_port": free_port(), "http_address": "127.0.0.1"}
    await device.start(counting)
    await device.swap_to(device.pack(V1))
    counting.sizes.clear()
    yield device
    counting.going.set()
    await device.stop()


@pytest.fixture
async def asked(tuned: Device) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{tuned.http['http_port']}", timeout=60) as client:
        yield client


async def until_tuned(device: Device, batch: int | None) -> Any:
    """Let time pass until the report says so."""
    while (said := device.hub.reported["model"].get("tuning")) is None or said["batch"] != batch:
        await device.clock.advance(QUIET_S)
        await asyncio.sleep(0.01)
    return said


async def test_a_first_model_is_tuned_before_it_serves(tuned: Device) -> None:
    said = tuned.hub.reported["model"].get("tuning")
    assert (said["batch"], said["callers"], said["intraOp"], said["samplesPerSecond"]) == (4, usable(), 1, 2e6)
    assert tuned.metric("tuning", of="batch") == 4
    assert tuned.metric("tuning", of="callers") == usable()


async def test_what_is_known_is_not_measured_again_after_a_restart(tuned: Device, bench: Preferring) -> None:
    await tuned.restart()
    await tuned.hub.until_reported("model.state", "Active")
    assert (await until_tuned(tuned, 4), bench.made) == (tuned.hub.reported["model"].get("tuning"), 1)


async def test_on_another_device_it_is_measured_again(tuned: Device, bench: Preferring) -> None:
    await tuned.stop()
    book = json.loads((tuned.state / "tuning.json").read_bytes())
    [entry] = book["tunings"].values()
    entry["valid_for"]["runtime"] = "onnxruntime 1.0"
    (tuned.state / "tuning.json").write_text(json.dumps(book))
    await tuned.start()
    await tuned.hub.until_reported("model.state", "Active")
    assert (await until_tuned(tuned, 4), bench.made) == (tuned.hub.reported["model"].get("tuning"), 2)


async def test_a_model_that_replaces_another_serves_at_once_and_is_tuned_in_a_quiet_moment(
    tuned: Device, bench: Preferring
) -> None:
    await tuned.swap_to(tuned.pack(V2, version="2"))
    assert (tuned.hub.reported["model"].get("tuning"), bench.made) == (None, 1)
    assert tuned.metric("tuning", of="batch") is None
    await until_tuned(tuned, 4)
    assert (tuned.metric("tuning", of="batch"), bench.made) == (4, 2)
    tuned.send(V2, 1)
    assert (await tuned.predictions())[0].model.version == "2"
    assert tuned.hub.reported["model"]["state"] == "Active"


async def test_while_there_is_work_nothing_is_measured(tuned: Device, counting: Counting, bench: Preferring) -> None:
    await tuned.swap_to(tuned.pack(V2, version="2"))
    counting.going.clear()
    tuned.send(V2, 1)
    while not counting.sizes:
        await asyncio.sleep(0.01)
    for _ in range(5):
        await tuned.clock.advance(QUIET_S)
    assert bench.made == 1
    counting.going.set()
    await until_tuned(tuned, 4)


async def test_what_was_measured_beside_others_is_tried_again_but_not_at_once(tuned: Device, bench: Preferring) -> None:
    bench.quiet = False
    await tuned.swap_to(tuned.pack(V2, version="2"))
    while bench.made < 2:
        await tuned.clock.advance(QUIET_S)
        await asyncio.sleep(0.01)
    bench.quiet = True
    for _ in range(3):
        await tuned.clock.advance(QUIET_S)
    assert (bench.made, tuned.hub.reported["model"].get("tuning")) == (2, None)
    await tuned.clock.advance(PAUSE_S)
    await until_tuned(tuned, 4)
    assert bench.made == 3


async def test_a_model_that_cannot_be_measured_serves_and_goes_on_serving(tmp_path: Path) -> None:
    def broken(model: LoadedModel, _: Callable[[], bool]) -> Bench:
        tried.append(model)
        raise OSError("the disk does not answer")

    tried: list[LoadedModel] = []
    device = Device(tmp_path)
    device.bench = broken
    await device.start()
    await device.swap_to(device.pack(V1))
    while len(tried) < 2:
        await device.clock.advance(QUIET_S)
        await asyncio.sleep(0.01)
    device.send(V1, 1)
    assert await device.predictions()
    await device.stop()


async def test_batches_are_cut_to_the_size_that_is_best(tuned: Device, counting: Counting) -> None:
    tuned.send(V1, *[1] * 7)
    [message] = await tuned.predictions()
    assert len(message.parts) == 7
    assert counting.sizes == [4, 3]


@pytest.mark.parametrize(("setting", "value"), [("batch", 2), ("callers", 1)])
async def test_a_setting_goes_before_what_was_measured(
    tuned: Device, counting: Counting, setting: str, value: int
) -> None:
    tuned.hub.edit_twin({setting: value})
    await tuned.hub.until_reported("model.ackVersion", tuned.hub.twin["$version"])
    counting.going.clear()
    for _ in range(6):
        tuned.send(V1, *[1] * 2)
    while not counting.sizes:
        await asyncio.sleep(0.01)
    await rest()
    counting.going.set()
    assert len(await tuned.predictions(6)) == 6
    assert (max(counting.sizes) == 2) == (setting == "batch")


async def test_a_setting_for_threads_has_the_model_loaded_anew(tuned: Device, counting: Counting) -> None:
    tuned.hub.edit_twin({"threads": 2})
    await tuned.hub.until_reported("model.ackVersion", tuned.hub.twin["$version"])
    await tuned.hub.until_reported("model.state", "Active")
    assert counting.ways[-1] == Way(2)
    tuned.send(V1, 1)
    assert await tuned.predictions()


async def gathered(asked: httpx.AsyncClient, counting: Counting, *shades: float) -> list[httpx.Response]:
    """Ask for all of these while the model is held up, and let it go on."""
    counting.going.clear()
    asking = [asyncio.create_task(asked.post(INFER, json=request(1))) for _ in range(usable())]
    while len(counting.sizes) < 1:
        await asyncio.sleep(0.01)
    asking += [asyncio.create_task(asked.post(INFER, json=request(shade))) for shade in shades]
    await asked.get("/v2/health/live")  # by when they have come, or most of them
    counting.going.set()
    return (await asyncio.gather(*asking))[usable() :]


async def test_requests_that_wait_share_a_run_and_each_gets_its_own(
    tuned: Device, asked: httpx.AsyncClient, counting: Counting
) -> None:
    tuned.hub.edit_twin({"callers": 1})
    await tuned.hub.until_reported("model.ackVersion", tuned.hub.twin["$version"])
    shades = [float(shade) for shade in range(2, 14)]
    while max(counting.sizes, default=0) < 2:
        answers = await gathered(asked, counting, *shades)
        assert [answer.json()["outputs"][0]["data"] for answer in answers] == [[-shade, shade] for shade in shades]
    assert max(counting.sizes) <= 4
    assert tuned.metric("run_sharers_sum") != tuned.metric("run_sharers_count")


async def test_a_request_that_fails_harms_none_that_shares_its_run(
    tuned: Device, asked: httpx.AsyncClient, counting: Counting
) -> None:
    tuned.hub.edit_twin({"callers": 1})
    await tuned.hub.until_reported("model.ackVersion", tuned.hub.twin["$version"])
    while max(counting.sizes, default=0) < 4:
        answers = await gathered(asked, counting, 2, 99, 3, 4)
        assert [answer.status_code for answer in answers] == [200, 500, 200, 200]


async def test_requests_that_have_waited_too_long_are_refused_where_a_setting_says_so(
    tuned: Device, asked: httpx.AsyncClient, counting: Counting
) -> None:
    tuned.hub.edit_twin({"callers": 1, "shedSeconds": 1.0})
    await tuned.hub.until_reported("model.ackVersion", tuned.hub.twin["$version"])

    async def late() -> httpx.Response:
        """A request that the time goes by, if it has come before."""
        counting.sizes.clear()
        counting.going.clear()
        first = asyncio.create_task(asked.post(INFER, json=request(1)))
        while not counting.sizes:
            await asyncio.sleep(0.01)
        waiting = asyncio.create_task(asked.post(INFER, json=request(1)))
        await asked.get("/v2/health/live")
        await tuned.clock.advance(2.0)
        counting.going.set()
        assert (await first).status_code == 200
        return await waiting

    while (refused := await late()).status_code == 200:
        pass
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert tuned.metric("shed_total") == 1
