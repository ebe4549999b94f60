"""Answers leave in one piece, and nobody waits for what is held back."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from edge_inference.web.server import Connection, Limits
from edge_inference.web.whole import WholeAnswers


class Wire(asyncio.Transport):
    """A connection that keeps what is sent over it.

    Attributes:
        sent: Piece by piece.
    """

    def __init__(self, end: socket.socket) -> None:
        super().__init__({"socket": end})
        self.sent: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.sent.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def wire() -> Iterator[Wire]:
    with socket.socket() as end:
        yield Wire(end)


async def exchange(wire: Wire, request: bytes) -> None:
    """Bring a request, until whoever answers it has ended."""

    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive())["body"]
        await PlainTextResponse(b"said " + body)(scope, receive, send)

    state = ServerState()
    config: dict[str, Any] = {"ws": "none", "lifespan": "off", "log_config": None}
    connection = Connection(Limits(), uvicorn.Config(echo, **config), state, {})
    connection.connection_made(wire)
    connection.data_received(request)
    await asyncio.gather(*state.tasks)
    connection.connection_lost(None)


async def test_head_and_body_are_one_piece(wire: Wire) -> None:
    await exchange(wire, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
    [answer] = wire.sent
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nsaid hi")


async def test_a_head_without_a_body_is_sent(wire: Wire) -> None:
    await exchange(wire, b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    [answer] = wire.sent
    assert answer.endswith(b"\r\n\r\n")


async def test_the_last_answer_is_sent_before_the_end(wire: Wire) -> None:
    await exchange(wire, b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert wire.closed
    [answer] = wire.sent
    assert answer.endswith(b"\r\n\r\nsaid ")


async def test_a_client_that_waits_to_be_told_to_go_on_is_told(wire: Wire) -> None:
    await exchange(wire, b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi")
    told, *answer = wire.sent
    assert told == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert b"".join(answer).endswith(b"\r\n\r\nsaid hi")


def test_what_was_begun_is_sent_before_the_end(wire: Wire) -> None:
    answers = WholeAnswers(wire)
    answers.write(b"head")
    assert wire.sent == []
    answers.close()
    assert (wire.sent, answers.is_closing()) == ([b"head"], True)
    answers.flush()
    assert wire.sent == [b"head"]
