"""What tests ask the inference module over HTTP, by hand."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from support.models import contract

SAMPLE = contract().input.sample_shape
INFER = "/v2/models/teller/infer"


def request(*samples: float, **more: Any) -> dict[str, Any]:
    """A request in JSON that the models of ``support.models`` take, each sample of one shade."""
    size = SAMPLE[0] * SAMPLE[1] * SAMPLE[2]
    data = [sample for sample in samples for _ in range(size)]
    shape = [len(samples), *SAMPLE]
    return {"inputs": [{"name": "input", "datatype": "FP32", "shape": shape, "data": data, **more}]}


async def until(asked: httpx.AsyncClient, path: str, good: Callable[[httpx.Response], bool]) -> httpx.Response:
    """Ask until the answer is good; the test's own limit ends it otherwise."""
    while True:
        try:
            response = await asked.get(path)
        except httpx.TransportError:
            pass
        else:
            if good(response):
                return response
        await asyncio.sleep(0.02)


@asynccontextmanager
async def half_a_request(port: int, path: str = INFER) -> AsyncIterator[Callable[[], Any]]:
    """Send all of a request but its last byte; what is given sends that, and gives the status of the answer."""
    body = json.dumps(request(1)).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body[:-1])
    await writer.drain()

    async def finish() -> int:
        writer.write(body[-1:])
        return int((await reader.readline()).split()[1])

    try:
        yield finish
    finally:
        writer.close()
        await writer.wait_closed()
