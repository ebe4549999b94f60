"""Has transform prepare what is tried out, under any contract: outside the window, and without receipts."""

import asyncio
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

from edge_common.clock import Clock
from edge_common.contract import Input
from edge_common.hub import Hub, Received
from edge_common.messages import Frame, LiveShare, OneFile, Part, TrialBatchMessage, TrialMessage
from edge_common.tensors import TensorReader
from edge_common.timing import wait_for_event
from edge_inference.errors import TrialRefusedError, TrialUnansweredError
from edge_inference.session import Array

ANSWER_S: Final = 10.0
"""How long one file may take; a direct method is given 30 s by default."""

LEASE_S: Final = 30.0
"""A trial on live items ends so long after it was announced last, whatever becomes of this process."""

RENEW_S: Final = 10.0

MOST_SAMPLES: Final = 64
"""Of one file on trial, which are its first; a direct method's answer holds at most 128 KB."""

Take = Callable[[Callable[[], Array], Sequence[Part]], None]
"""Takes a batch that was prepared: what reads it, and whose rows it holds. Must not block."""


class Prepared(NamedTuple):
    """Samples of one file.

    Attributes:
        samples: Float32 of shape ``(rows, *wanted.sample_shape)``.
        frames: Where each lies in its picture; none where they are of no pictures.
        more: Whether the file holds more than these.
    """

    samples: Array
    frames: Sequence[Frame] = ()
    more: bool = False


class Trials:
    """Asks transform, and hands what comes back to who asked.

    Args:
        hub: The connection.
        reader: The tensor store.
        clock: For deadlines.
    """

    def __init__(self, hub: Hub, reader: TensorReader, clock: Clock) -> None:
        self._hub = hub
        self._reader = reader
        self._clock = clock
        self._waiting: dict[str, Callable[[TrialBatchMessage], None]] = {}

    async def on_batch(self, message: Received) -> None:
        """The input ``trials``; what nobody waits for any more is let go.

        Raises:
            MalformedMessageError: The body is none of this input's.
        """
        batch = TrialBatchMessage.decode(message.body)
        if take := self._waiting.get(batch.trial):
            take(batch)

    async def prepare(self, content: bytes, wanted: Input) -> Prepared:
        """One file's samples, or its first.

        Args:
            content: The file's.
            wanted: What it is prepared under.

        Raises:
            TrialRefusedError: It cannot be prepared.
            TrialUnansweredError: Nothing came back in time.
            TensorStoreError: What came back cannot be read.
        """
        answers: list[TrialBatchMessage] = []
        answered = asyncio.Event()

        def take(batch: TrialBatchMessage) -> None:
            answers.append(batch)
            answered.set()

        with self._expecting(take) as trial:
            await self._ask(TrialMessage(trial=trial, input=wanted, seconds=ANSWER_S, source=OneFile(content=content)))
            await wait_for_event(answered, ANSWER_S, self._clock)
        if not answers:
            raise TrialUnansweredError(f"no module has prepared the file within {ANSWER_S:g} s")
        if (batch := answers[0].batch) is None:
            raise TrialRefusedError(answers[0].refusal or "transform has not said why")
        return Prepared(self._reader.read(batch), answers[0].frames, answers[0].more)

    async def sample(self, wanted: Input, share: float, take: Take) -> None:
        """Have a share of the live items prepared, until cancelled.

        Args:
            wanted: What they are prepared under.
            share: More than 0; 1 is all of them.
            take: Is given the batches, as they come.
        """

        def read_and_take(batch: TrialBatchMessage) -> None:
            if batch.batch:
                take(partial(self._reader.read, batch.batch), batch.parts)

        with self._expecting(read_and_take) as trial:
            while True:
                await self._ask(TrialMessage(trial=trial, input=wanted, seconds=LEASE_S, source=LiveShare(share=share)))
                await self._clock.sleep(RENEW_S)

    @contextmanager
    def _expecting(self, take: Callable[[TrialBatchMessage], None]) -> Iterator[str]:
        trial = uuid.uuid4().hex
        self._waiting[trial] = take
        try:
            yield trial
        finally:
            del self._waiting[trial]

    async def _ask(self, message: TrialMessage) -> None:
        await self._hub.send("trials", message.encode(), {"kind": "trials"})
