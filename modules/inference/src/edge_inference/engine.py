"""Batches in, predictions and rejects out: several at a time, each on the model whose stamp it bears.

Requests over HTTP are done by the same batcher, in turn with batches. Batches whose answers the hub does not take hold
up none but batches: only so many are in hand.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar

import numpy as np

from edge_common.clock import Clock
from edge_common.errors import ItemError
from edge_common.hub import Hub, Received
from edge_common.messages import PredictedPart, PredictionsMessage, Reject, RejectsMessage, TensorsMessage, chunks
from edge_common.tensors import TensorReader
from edge_inference.announcer import Announcer
from edge_inference.answers import Answer, answering, reject
from edge_inference.batching.batcher import Batcher
from edge_inference.batching.policy import Limits
from edge_inference.batching.runs import Work
from edge_inference.batching.turns import Source
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.onlookers import Onlookers
from edge_inference.processors import usable
from edge_inference.routing import together, verdict
from edge_inference.serving import CONTRACT_GONE, Serving
from edge_inference.settings import InferenceSettings

T = TypeVar("T")

QUEUE: Final = 16
"""Batches that wait here; more wait in the module's inbox."""

IN_HAND: Final = 32
"""Batches whose turn is to come, that run, or whose answers are being sent; twice the callers, if those are many."""

ROUTES: Final = Source("routes")

MOST_IN_MESSAGE: Final = 64

MOST_BYTES: Final = 250_000
"""Of a message with one part: IoT Edge takes 256 KiB, and its properties count."""

TOO_LONG: Final = ItemError(
    "PREDICTION_TOO_LARGE", f"what the model says of this part takes more than {MOST_BYTES} bytes as JSON"
)


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

    Attributes:
        batcher: Does all the work.
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
        self._cores = usable()
        self._freed = asyncio.Event()
        self._in_hand = 0
        self._settings = InferenceSettings()
        self.batcher = Batcher(self._limits, clock, measures)

    def configure(self, settings: InferenceSettings) -> None:
        """Take settings over. What runs, runs to its end."""
        self._settings = settings
        self._freed.set()

    async def tensors(self, message: Received) -> None:
        """The input ``tensors``: waits where too many batches wait already.

        Raises:
            MalformedMessageError: The body is none of this input's.
        """
        await self._waiting.put(TensorsMessage.decode(message.body))

    async def ask(self, client: str, size: int, work: Work[T]) -> T:
        """Do other work than batches with the model that is active when its turn comes.

        Args:
            client: Who asks.
            size: About how many bytes of samples there are.
            work: What is to be done; what it raises, this raises.

        Raises:
            ItemError: No model is active, or it is too late.
        """
        wanted = self._serving.current().contract.input
        sample = np.dtype(wanted.sample_dtype).itemsize * math.prod(wanted.sample_shape)
        patience = self._settings.shed_seconds or math.inf
        pick = self._serving.current
        _, result, _ = await self.batcher.do(Source("http", client), max(1, size // sample), pick, work, patience)
        return result

    async def run(self) -> None:
        """Answer batches for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                batch = await self._waiting.get()
                await self._place()
                group.create_task(self._serve(batch))

    async def drain(self) -> None:
        """Let what runs come to its end."""
        await asyncio.to_thread(self.batcher.close)

    def _limits(self) -> Limits:
        """What settings say, or else what was measured, or else one caller a core and batches as they come."""
        settings, active = self._settings, self._serving.active
        tuned = active.tuning.choice if active and active.tuning else None
        callers = settings.callers or (tuned.callers if tuned else self._cores)
        return Limits(callers, settings.batch or (tuned.batch if tuned else 0))

    async def _place(self) -> None:
        """Wait until one more batch can be in hand."""
        while self._in_hand >= max(IN_HAND, 2 * self._limits().callers):
            self._freed.clear()
            await self._freed.wait()
        self._in_hand += 1

    async def _serve(self, batch: TensorsMessage) -> None:
        try:
            model, given = await self._answer(batch)
        except ItemError as error:
            if error.code == CONTRACT_GONE:
                self._announcer.soon()
            await self._send_rejects(reject(batch.parts, error).rejects)
        else:
            await self._send(batch, model, given)
        finally:
            self._in_hand -= 1
            self._freed.set()

    async def _answer(self, batch: TensorsMessage) -> tuple[LoadedModel, Answer]:
        def pick() -> LoadedModel:
            return self._serving.pick(batch.stamp, self._clock.monotonic())

        rows = max((part.first + part.rows for part in batch.parts), default=1)
        work = partial(answering, read=lambda: self._reader.read(batch.batch), parts=batch.parts)
        model, given, seconds = await self.batcher.do(ROUTES, rows, pick, work)
        self._measures.run_seconds.observe(seconds)
        self._onlookers.answered(model, given, seconds)
        return model, replace(given, samples=None)  # of which there are many, and sending may take long

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
