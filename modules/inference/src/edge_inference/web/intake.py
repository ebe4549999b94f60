"""What is taken in: so many requests at once, each of so many bytes, in so much time."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from edge_inference.web.refusal import TIMED_OUT, TOO_LARGE, UNAVAILABLE, UNSUPPORTED, RefusedError


class Inflow:
    """A request's messages, as ASGI has them; stands for ``receive``.

    Args:
        receive: Gives them.

    Attributes:
        ended: Whether nothing more is to come: asked once more, ``receive`` would wait for the client to go.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.ended = False

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self.ended = not message.get("more_body", False)
        return message


class Intake:
    """Bounds the memory that requests can take.

    Args:
        places: How many are read, wait or run at once; more are refused.
        most: Bytes of a body.
        patience: Seconds that a body may take to come.
    """

    def __init__(self, places: int, most: int, patience: float) -> None:
        self._free = places
        self._most = most
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places.

        Raises:
            RefusedError: There is none.
        """
        if not self._free:
            raise RefusedError(UNAVAILABLE, "too many requests wait already")
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1

    async def body(self, headers: Headers, receive: Receive) -> bytes:
        """The body of a request.

        Raises:
            RefusedError: It is too large, compressed, or does not come.
        """
        if "content-encoding" in headers:
            raise RefusedError(UNSUPPORTED, "compressed bodies are not taken")
        if int(headers.get("content-length", 0)) > self._most:
            raise self._too_large
        pieces, left = [], self._most
        try:
            async with asyncio.timeout(self._patience):
                async for piece in _pieces(receive):
                    pieces.append(piece)
                    left -= len(piece)
                    if left < 0:
                        raise self._too_large
        except TimeoutError:
            raise RefusedError(TIMED_OUT, f"the body has not come in {self._patience:g} s") from None
        return b"".join(pieces)

    async def discard(self, inflow: Inflow) -> None:
        """Let go of what is still coming, within limits: a client that is sending would not see its answer."""
        left = self._most
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while left >= 0 and not inflow.ended:
                    left -= len((await inflow()).get("body", b""))

    @property
    def _too_large(self) -> RefusedError:
        return RefusedError(TOO_LARGE, f"a body may have {self._most} bytes")


async def _pieces(receive: Receive) -> AsyncIterator[bytes]:
    """A body as it comes.

    Raises:
        ClientDisconnect: It ends too early.
    """
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return
