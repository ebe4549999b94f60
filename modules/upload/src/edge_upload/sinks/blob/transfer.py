"""Blocks on their way, several at a time."""

import asyncio
from collections import deque
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Final

from azure.storage.blob.aio import BlobClient
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from edge_common.clock import Clock
from edge_upload.sinks import SinkUnavailableError
from edge_upload.sinks.blob.blocks import Block
from edge_upload.sinks.blob.errors import trouble_with
from edge_upload.sinks.blob.lanes import Lanes
from edge_upload.sinks.blob.throttle import Throttle

ATTEMPTS: Final = 4
"""A block's, before the whole file is left to a later try, which finds the blocks that have arrived."""


class Transfer:
    """Sends blocks, as many at once as helps.

    Args:
        clock: Time.
        throttle: Says when bytes may go.
        patience_s: How long a block may take.
    """

    def __init__(self, clock: Clock, throttle: Throttle, patience_s: float) -> None:
        self._clock = clock
        self._throttle = throttle
        self._patience_s = patience_s
        self._lanes = Lanes()

    async def send(self, blob: BlobClient, file: Path, blocks: Iterable[Block]) -> None:
        """Send blocks of a file; no more of them are in memory than are under way.

        Raises:
            SinkError: One could not be sent; others may have been.
            StagedFileError: The file has changed.
        """
        waiting, under_way = deque(blocks), set[asyncio.Task[None]]()
        self._lanes.begin(self._clock.monotonic())
        try:
            while waiting or under_way:
                while waiting and len(under_way) < self._lanes.width:
                    under_way.add(asyncio.create_task(self._insist(blob, file, waiting.popleft())))
                done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
                await asyncio.gather(*done)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _insist(self, blob: BlobClient, file: Path, block: Block) -> None:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(SinkUnavailableError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.5, max=10),
            sleep=self._clock.sleep,
            reraise=True,
        )
        await tries(self._send, blob, file, block)

    async def _send(self, blob: BlobClient, file: Path, block: Block) -> None:
        data = await asyncio.to_thread(block.read, file)
        await self._throttle.admit(block.size)
        try:
            with trouble_with(f"send a block of {blob.blob_name}"):
                async with asyncio.timeout(self._patience_s):
                    await blob.stage_block(block.name, BytesIO(data), block.size, validate_content=True)
        except SinkUnavailableError:
            self._lanes.failed(self._clock.monotonic())
            raise
        self._lanes.done(block.size, self._clock.monotonic())
