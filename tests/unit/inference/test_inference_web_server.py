"""Who is let in, and what becomes of connections that bring nothing."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager, suppress
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from edge_common.errors import ConfigurationError
from edge_inference.settings import InferenceEnvironment
from edge_inference.web.access import Access
from edge_inference.web.intake import Inflow, Intake
from edge_inference.web.refusal import RefusedError
from edge_inference.web.server import Limits, Server
from support.inference import Device
from support.loops import leap
from support.models import contract
from support.tls import ServerTls
from support.web import free_port
from support.web_client import INFER, request


def environment(folder: Path, **given: Any) -> InferenceEnvironment:
    places: dict[str, Any] = {"state_dir": folder, "tensor_dir": folder, "model_dir": folder}
    return InferenceEnvironment(**places, http_port=1, **given)


def test_off_loopback_it_is_not_served_to_anybody(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"HTTP_ADDRESS 0\.0\.0\.0 lets in anybody: set HTTP_TOKEN_FILE"):
        Access.of(environment(tmp_path))
    tls = ServerTls.make(tmp_path)
    with pytest.raises(ConfigurationError, match="lets in anybody"):
        Access.of(environment(tmp_path, http_tls_cert=tls.certificate, http_tls_key=tls.key))
    assert Access.of(environment(tmp_path, http_behind_front=True)) == Access(None, None)


def test_what_is_half_said_is_refused(tmp_path: Path) -> None:
    token, tls = tmp_path / "token", ServerTls.make(tmp_path)
    with pytest.raises(ConfigurationError, match=r"HTTP_TOKEN_FILE: .* cannot be read"):
        Access.of(environment(tmp_path, http_token_file=token))
    token.write_text("\n")
    with pytest.raises(ConfigurationError, match="is empty"):
        Access.of(environment(tmp_path, http_token_file=token))
    for half in ({"http_tls_cert": tls.certificate}, {"http_client_ca": tls.certificate}):
        with pytest.raises(ConfigurationError, match="HTTP_TLS_CERT and HTTP_TLS_KEY go together"):
            Access.of(environment(tmp_path, http_address=IPv4Address("127.0.0.1"), **half))
    with pytest.raises(ConfigurationError, match="cannot be used"):
        Access.of(environment(tmp_path, http_tls_cert=token, http_tls_key=tls.key, http_client_ca=tls.certificate))


@asynccontextmanager
async def serving(folder: Path, **given: Any) -> AsyncIterator[str]:
    """A module with a model, off loopback as far as it can tell; its address."""
    device = Device(folder)
    device.http = {"http_port": free_port(), **given}
    await device.start()
    await device.swap_to(device.pack(contract()))
    try:
        yield f"127.0.0.1:{device.http['http_port']}"
    finally:
        await device.stop()


async def test_a_token_is_asked_for_and_may_be_replaced(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")

    async def status(given: str, path: str = INFER) -> int:
        headers = {"Authorization": given} if given else {}
        return (await asked.post(path, json=request(1), headers=headers)).status_code

    async with (
        serving(tmp_path, http_token_file=token) as address,
        httpx.AsyncClient(base_url=f"http://{address}", timeout=60) as asked,
    ):
        assert [await status(given) for given in ("", "first", "Bearer second", "Basic first")] == [401] * 4
        assert [await status("", path) for path in ("/", "/v2/models/teller/infer")] == [401, 401]
        assert [await status(given) for given in ("Bearer first", "bearer first")] == [200, 200]
        assert (await asked.get("/v2/health/ready")).status_code == 200
        token.write_text("second")
        assert [await status(given) for given in ("Bearer first", "Bearer second")] == [401, 200]
        token.unlink()
        assert await status("Bearer second") == 503


async def test_tls_hides_the_token(tmp_path: Path) -> None:
    token, tls = tmp_path / "token", ServerTls.make(tmp_path / "tls")
    token.write_text("first")
    given = {"http_token_file": token, "http_tls_cert": tls.certificate, "http_tls_key": tls.key}
    async with serving(tmp_path, **given) as address, client(tls) as asked:
        response = await asked.get(f"https://{address}/v2", headers={"Authorization": "Bearer first"})
        assert response.status_code == 200


async def test_mutual_tls_stands_for_a_token(tmp_path: Path) -> None:
    tls, stranger = ServerTls.make(tmp_path / "tls"), ServerTls.make(tmp_path / "stranger")
    given = {"http_tls_cert": tls.certificate, "http_tls_key": tls.key, "http_client_ca": tls.certificate}
    async with serving(tmp_path, **given) as address:
        async with client(tls, tls) as asked:
            assert (await asked.post(f"https://{address}{INFER}", json=request(1))).status_code == 200
        for shown in (None, stranger):
            async with client(tls, shown) as asked:
                with pytest.raises(httpx.TransportError):
                    await asked.get(f"https://{address}/v2/health/live")


def client(trusted: ServerTls, shown: ServerTls | None = None) -> httpx.AsyncClient:
    context = ssl.create_default_context(cafile=trusted.certificate)
    if shown:
        context.load_cert_chain(shown.certificate, shown.key)
    return httpx.AsyncClient(verify=context, timeout=60)


GREETING: ASGIApp = PlainTextResponse("hello")


@asynccontextmanager
async def server(limits: Limits, app: ASGIApp = GREETING) -> AsyncIterator[int]:
    """A server, which greets unless told otherwise; its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    serving = Server(app, listener, None, limits)
    work = asyncio.create_task(serving.run_beside())
    try:
        yield listener.getsockname()[1]
    finally:
        await serving.drain()
        await work


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What came before the connection was closed, or reset."""
    come = b""
    with suppress(ConnectionResetError):
        while piece := await reader.read(1 << 10):
            come += piece
    return come


PATIENCE_S = 60.0
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "answer"), [(b"", b""), (WHOLE[:10], b""), (WHOLE, b"hello"), (WHOLE + WHOLE[:10], b"hello")]
)
async def test_a_connection_that_brings_no_whole_request_is_closed(begin: bytes, answer: bytes) -> None:
    async with server(Limits(patience=PATIENCE_S)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begin)
        if answer:
            await reader.readuntil(answer)
        await leap(PATIENCE_S)
        assert await ended(reader) == b""
        writer.close()


async def test_a_client_that_takes_in_no_answer_is_given_up_though_it_asks_on() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    serving = Server(PlainTextResponse(bytes(32 << 20)), listener, None, Limits(patience=PATIENCE_S))
    work = asyncio.create_task(serving.run_beside())
    with socket.create_connection(listener.getsockname()) as client:
        client.sendall(WHOLE * 2)
        while not serving.server_state.total_requests:
            await asyncio.sleep(0.01)
        while serving.server_state.connections:
            await leap(PATIENCE_S)
    await serving.drain()
    await work


async def test_a_request_may_take_longer_than_its_client_may() -> None:
    free = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await free.wait()
        await GREETING(scope, receive, send)

    async with server(Limits(patience=PATIENCE_S), wait) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE)
        idle, other = await asyncio.open_connection("127.0.0.1", port)
        await leap(PATIENCE_S)
        assert await ended(idle) == b""
        free.set()
        await reader.readuntil(b"hello")
        for each in (writer, other):
            each.close()


async def test_requests_in_hand_end_before_the_server_does() -> None:
    ended_first: list[bool] = []

    async def look(scope: Scope, receive: Receive, send: Send) -> None:
        begun.set()
        await asyncio.wait({drained}, timeout=0.5)
        ended_first.append(drained.done())
        await GREETING(scope, receive, send)

    async def drain() -> None:
        await begun.wait()
        await serving.drain()

    begun, listener = asyncio.Event(), socket.create_server(("127.0.0.1", 0))
    serving = Server(look, listener, None, Limits())
    work, drained = asyncio.create_task(serving.run_beside()), asyncio.create_task(drain())
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(WHOLE)
    assert (await ended(reader)).endswith(b"hello")
    assert ended_first == [False]
    await drained
    await work
    writer.close()


async def test_a_connection_too_many_is_closed_at_once() -> None:
    async with server(Limits(connections=1)) as port:
        _, first = await asyncio.open_connection("127.0.0.1", port)
        reader, second = await asyncio.open_connection("127.0.0.1", port)
        assert await ended(reader) == b""
        first.close()
        second.close()


async def test_an_answer_is_sent_without_waiting_for_the_clients_acknowledgement() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    serving = Server(GREETING, listener, None, Limits())
    work = asyncio.create_task(serving.run_beside())
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(WHOLE)
    await reader.readuntil(b"hello")
    [connection] = serving.server_state.connections
    assert connection.transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()
    await serving.drain()
    await work


@pytest.mark.parametrize(
    ("head", "again"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: ", b"a" * 1000),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", b"A: b\r\n" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n" * 100),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;", b"a" * 1000),
    ],
    ids=["a header", "headers", "trailers", "a piece's extension"],
)
async def test_a_head_without_end_is_not_taken_in(head: bytes, again: bytes) -> None:
    async def wait(_: Scope, receive: Receive, __: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async with server(Limits(patience=60, framing=100_000), wait) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head)
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(again)
                await writer.drain()
        assert await ended(reader) == b""
        writer.close()


async def test_a_large_body_is_no_head() -> None:
    async def size(scope: Scope, receive: Receive, send: Send) -> None:
        come, more = 0, True
        while more:
            message = await receive()
            come, more = come + len(message["body"]), message["more_body"]
        await PlainTextResponse(str(come))(scope, receive, send)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield bytes(1000)

    async with (
        server(Limits(framing=20_000), size) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as asked,
    ):
        for content in (bytes(1_000_000), pieces(), bytes(1_000_000)):
            assert (await asked.post("/", content=content)).text == "1000000"


@pytest.mark.parametrize(("at_once", "whole"), [(1_000_000, True), (100_000, False)])
async def test_who_reads_a_body_is_woken_for_all_of_it_or_for_much_of_it(at_once: int, *, whole: bool) -> None:
    sizes: list[int] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            sizes.append(len(message["body"]))
            more = message["more_body"]
        await GREETING(scope, receive, send)

    async with (
        server(Limits(at_once=at_once), note) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as asked,
    ):
        assert (await asked.post("/", content=bytes(900_000))).text == "hello"
    assert sum(sizes) == 900_000
    assert (len(sizes) == 1) is whole
    assert max(sizes[:-1], default=at_once + 1) > at_once


async def test_more_requests_ahead_than_there_may_be_end_the_connection() -> None:
    free = asyncio.Event()

    async def wait(scope: Scope, receive: Receive, send: Send) -> None:
        await free.wait()
        await GREETING(scope, receive, send)

    async with server(Limits(ahead=2), wait) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(WHOLE * 3)
        other, further = await asyncio.open_connection("127.0.0.1", port)
        further.write(WHOLE * 4)
        assert (await ended(other)).startswith(b"HTTP/1.1 400 ")
        free.set()
        for _ in range(3):
            await reader.readuntil(b"hello")
        for each in (writer, further):
            each.close()


async def never() -> MutableMapping[str, Any]:
    return await asyncio.Future()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    intake = Intake(places=1, most=10, patience=0.01)
    with pytest.raises(RefusedError, match="has not come") as refused:
        await intake.body(Headers(), never)
    assert refused.value.status == 408
    await intake.discard(Inflow(never))


async def test_what_is_refused_is_let_go_of_within_limits() -> None:
    taken = []

    async def endless() -> MutableMapping[str, Any]:
        taken.append(1)
        return {"type": "http.request", "body": b"1234", "more_body": True}

    await Intake(places=1, most=10, patience=100).discard(Inflow(endless))
    assert len(taken) == 3


async def test_an_answer_does_not_wait_for_more_than_the_body() -> None:
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b"1", "more_body": True},
        {"type": "http.request", "body": b"2"},
    ]

    async def two_and_no_more() -> MutableMapping[str, Any]:
        return {"type": "http.request", **messages.pop(0)} if messages else await never()

    intake, inflow = Intake(places=1, most=10, patience=1000), Inflow(two_and_no_more)
    assert await intake.body(Headers(), inflow) == b"12"
    await intake.discard(inflow)
