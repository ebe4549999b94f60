"""Batches in, predictions and rejects out: several at a time, each on the model whose stamp it bears.

Requests of other kinds share the threads. Of either, no more than twice as many as there are threads wait for one,
first come, first served: so neither keeps the other from its half, and batches whose answers the hub does not take hold
up none but batches.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from edge_common.clock import Clock
from edge_common.errors import ItemError
from edge_common.hub import Hub, Received
from edge_common.messages import PredictedPart, PredictionsMessage, Reject, RejectsMessage, TensorsMessage, chunks
from edge_common.tensors import TensorReader
from edge_inference.announcer import Announcer
from edge_inference.answers import Answer, answer, reject
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.onlookers import Onlookers
from edge_inference.routing import together, verdict
from edge_inference.serving import CONTRACT_GONE, Serving

T = TypeVar("T")

QUEUE: Final = 16
"""Batches that wait here; more wait in the module's inbox."""

MOST_IN_MESSAGE: Final = 64

MOST_BYTES: Final = 250_000
"""Of a message with one part: IoT Edge takes 256 KiB, and its properties count."""

TOO_LONG: Final = ItemError(
    "PREDICTION_TOO_LARGE", f"what the model says of this part takes more than {MOST_BYTES} bytes as JSON"
)


class Crew:
    """Threads that run batches, and the places for batches in hand: so many that none of the threads waits for a send.

    There are as many places for guests, who ask for the threads only.

    Args:
        callers: How many threads; 0 is one for each core.
    """

    def __init__(self, callers: int) -> None:
        self.callers = callers
        count = callers or len(os.sched_getaffinity(0))
        self.threads = ThreadPoolExecutor(count, thread_name_prefix="caller")
        self.places = asyncio.Semaphore(2 * count)
        self.guests = asyncio.Semaphore(2 * count)


class Engine:
    """Answers batches.

    Args:
        hub: The connection.
        reader: The tensor store.
        serving: The loaded models.
        onlookers: See what was answered.
        announcer: Told when a batch bears a stamp that no loaded model takes.
        clock: For the models' idle times.
        measures: Counted into.
    """

    def __init__(
        self,
        hub: Hub,
        reader: TensorReader,
        serving: Serving,
        onlookers: Onlookers,
        announcer: Announcer,
        clock: Clock,
        measures: Measures,
    ) -> None:
        self._hub = hub
        self._reader = reader
        self._serving = serving
        self._onlookers = onlookers
        self._announcer = announcer
        self._clock = clock
        self._measures = measures
        self._waiting: asyncio.Queue[TensorsMessage] = asyncio.Queue(QUEUE)
        self._crew = Crew(0)

    def configure(self, callers: int) -> None:
        """Set how many batches run at once; 0 is one for each core. What runs, runs to its end."""
        if callers != self._crew.callers:
            self._crew = Crew(callers)  # the threads of the one before end with the last batch that holds it

    async def tensors(self, message: Received) -> None:
        """The input ``tensors``: waits where too many batches wait already.

        Raises:
            MalformedMessageError: The body is none of this input's.
        """
        await self._waiting.put(TensorsMessage.decode(message.body))

    async def ask(self, work: Callable[[LoadedModel], T]) -> T:
        """Do other work than batches with the model that is active when its turn comes.

        Args:
            work: Runs in one of the threads; what it raises, this raises.

        Raises:
            ItemError: No model is active.
        """
        crew = self._crew
        async with crew.guests:
            return await asyncio.get_running_loop().run_in_executor(crew.threads, work, self._serving.current())

    async def run(self) -> None:
        """Answer batches for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                batch = await self._waiting.get()
                crew = self._crew
                await crew.places.acquire()
                group.create_task(self._serve(batch, crew))

    async def drain(self) -> None:
        """Let what runs come to its end."""
        await asyncio.to_thread(self._crew.threads.shutdown)

    async def _serve(self, batch: TensorsMessage, crew: Crew) -> None:
        try:
            model = self._serving.pick(batch.stamp, self._clock.monotonic())
        except ItemError as error:
            if error.code == CONTRACT_GONE:
                self._announcer.soon()
            await self._send_rejects(reject(batch.parts, error).rejects)
        else:
            await self._send(batch, model, await self._answer(batch, model, crew))
        finally:
            crew.places.release()

    async def _answer(self, batch: TensorsMessage, model: LoadedModel, crew: Crew) -> Answer:
        def work() -> tuple[Answer, float]:
            started = self._clock.monotonic()
            given = answer(model, lambda: self._reader.read(batch.batch), batch.parts)
            return given, self._clock.monotonic() - started

        given, seconds = await asyncio.get_running_loop().run_in_executor(crew.threads, work)
        self._measures.run_seconds.observe(seconds)
        self._onlookers.answered(model, given, seconds)
        return given

    async def _send(self, batch: TensorsMessage, model: LoadedModel, given: Answer) -> None:
        self._measures.batches.inc()
        await self._send_predictions(batch, model, given.predicted)
        await self._send_rejects(given.rejects)

    async def _send_predictions(
        self, batch: TensorsMessage, model: LoadedModel, predicted: Sequence[PredictedPart]
    ) -> None:
        for group in together(self._onlookers.mark(predicted)):
            for parts in chunks(group, MOST_IN_MESSAGE):
                await self._send_message(batch, model, parts)

    async def _send_message(self, batch: TensorsMessage, model: LoadedModel, parts: Sequence[PredictedPart]) -> None:
        kind, identity = model.contract.output.kind, model.identity
        columns = model.interpreter.columns
        body = PredictionsMessage(
            batch=batch.batch, stamp=batch.stamp, kind=kind, model=identity, columns=columns, parts=tuple(parts)
        ).encode()
        if len(body) > MOST_BYTES:  # then it is one part: others are cut into smaller ones
            await self._send_rejects(reject(parts, TOO_LONG).rejects)
            return
        said = verdict([row for part in parts for row in part.predictions])
        about = {"kind": kind, "model": identity.name, "version": identity.version}
        await self._hub.send("predictions", body, {**said.properties, **about})
        self._measures.items.labels("predicted").inc(len(parts))

    async def _send_rejects(self, rejects: Sequence[Reject]) -> None:
        for verdicts in chunks(rejects, MOST_IN_MESSAGE):
            message = RejectsMessage(rejects=tuple(verdicts))
            await self._hub.send("rejects", message.encode(), {"kind": "rejects"})
            for each in verdicts:
                self._measures.items.labels(each.code).inc()
