"""The server on a real socket, over real TLS."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest

from edge_simulator.mqtt.connection import CONNECT_TIMEOUT_S, RefusedError, Session
from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.link import LinkState
from edge_simulator.mqtt.packets import ConnAck, Connect, ReturnCode
from edge_simulator.mqtt.server import Server
from edge_simulator.workload.authority import Authority
from support.mqtt import Clock

ADDRESS = "127.0.0.1"


class Refuser:
    """A broker that lets nobody in."""

    def link(self, _: str) -> LinkState:
        return LinkState.OPEN

    def open_session(self, packet: Connect) -> Session:
        raise RefusedError(ReturnCode.SERVER_UNAVAILABLE, packet.client_id)


class Bench:
    """A server, and what a client needs to reach it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.server = Server(Refuser(), self.clock)
        self.authority = Authority.open(folder)
        self.listener = socket.create_server((ADDRESS, 0))

    @asynccontextmanager
    async def client(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        trusting = ssl.create_default_context(cadata=self.authority.pem)
        reader, writer = await asyncio.open_connection(*self.listener.getsockname(), ssl=trusting)
        # The client's end of a handshake comes before the server's.
        while not self.server._live:
            await asyncio.sleep(0.001)
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.server.serving(bench.listener, bench.authority.server_context(ADDRESS)):
        yield bench


async def test_clients_speak_mqtt_over_tls(bench: Bench) -> None:
    async with bench.client() as (reader, writer):
        writer.write(encode(Connect("c")))
        assert await reader.read() == encode(ConnAck(session_present=False, code=ReturnCode.SERVER_UNAVAILABLE))


async def test_small_packets_are_not_held_back(bench: Bench) -> None:
    async with bench.client():
        (connection,) = bench.server._live
        server_end = connection._link._transport.get_extra_info("socket")
        assert server_end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_silent_clients_are_cut_off(bench: Bench) -> None:
    async with bench.client() as (reader, _):
        bench.server.close_silent()
        bench.clock.now += CONNECT_TIMEOUT_S + 1
        bench.server.close_silent()
        assert await reader.read() == b""


async def test_the_end_lets_every_client_go(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    async with AsyncExitStack() as stack:
        async with bench.server.serving(bench.listener, bench.authority.server_context(ADDRESS)):
            reader, _ = await stack.enter_async_context(bench.client())
        assert bench.server._live == set()
        assert await reader.read() == b""
