"""What upload says: receipts and rejects, many in a message."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from edge_common.hub import Hub
from edge_common.messages import Body, Receipt, ReceiptsMessage, Reject, RejectsMessage, chunks
from edge_upload.answers import Answer
from edge_upload.metrics import UploadMetrics

MOST: Final = 10_000
"""Answers that wait to be sent; while the hub is away, nothing comes that asks for more."""

IN_MESSAGE: Final = 500


class Post:
    """Sends answers in the order in which they come.

    Args:
        hub: Takes them.
        metrics: Counts them.
    """

    def __init__(self, hub: Hub, metrics: UploadMetrics) -> None:
        self._hub = hub
        self._metrics = metrics
        self._waiting: asyncio.Queue[Answer] = asyncio.Queue(MOST)

    async def put(self, answers: Iterable[Answer]) -> None:
        """Have answers sent; waits while too many wait."""
        for answer in answers:
            await self._waiting.put(answer)

    async def run(self) -> None:
        """Send, for ever. What is lost when this is cancelled, ingest inquires about."""
        while True:
            answers = [await self._waiting.get()]
            while not self._waiting.empty():
                answers.append(self._waiting.get_nowait())
            self._metrics.count(answers)
            for output, body in _messages(answers):
                await self._hub.send(output, body.encode(), {"kind": output})


def _messages(answers: Iterable[Answer]) -> Iterator[tuple[str, Body]]:
    answers = tuple(answers)
    for receipts in chunks([answer for answer in answers if isinstance(answer, Receipt)], IN_MESSAGE):
        yield "receipts", ReceiptsMessage(receipts=tuple(receipts))
    for rejects in chunks([answer for answer in answers if isinstance(answer, Reject)], IN_MESSAGE):
        yield "rejects", RejectsMessage(rejects=tuple(rejects))
