"""A proxy in front of an HTTP store that does what networks and busy services do.

Requests pass through byte by byte, unless ``plan`` has a fault for them:

    proxy = FaultProxy(azurite.endpoint)
    with proxy.running() as address:
        proxy.plan = script(answers(503), lost_answer())    # one fault a request, then none
        proxy.plan = lambda request: resets() if request.method == "PUT" else None
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

from support.web import serving

CHUNK = 64 << 10
_SESSION = web.AppKey("session", ClientSession)
_HOP_BY_HOP = {"connection", "host", "keep-alive", "transfer-encoding", "server", "date", "expect"}

Ask = Callable[[AsyncIterator[bytes]], AbstractAsyncContextManager[ClientResponse]]
"""Asks the store what was asked, with this body."""

Fault = Callable[[web.Request, Ask], Awaitable[web.StreamResponse]]
Plan = Callable[[web.Request], Fault | None]


@dataclass
class FaultProxy:
    """Passes requests on to a store.

    Attributes:
        upstream: The store's address: scheme, host and port, and a path that is part of each request anyway.
        plan: Says what goes wrong with a request; it may be replaced at any time.
        seen: Method and path with query of each request, as they came.
        struck: How many requests met a fault.
        address: What stands in the place of ``upstream``, once it runs.
    """

    upstream: str
    plan: Plan = field(default=lambda _request: None)
    seen: list[tuple[str, str]] = field(default_factory=list)
    struck: int = 0
    address: str = ""

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve; gives its address."""
        application = web.Application(client_max_size=1 << 40)
        application.cleanup_ctx.append(_session)
        application.router.add_route("*", "/{path:.*}", self._pass)
        with serving(application) as base:
            self.address = base + URL(self.upstream).raw_path.rstrip("/")
            yield self.address

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.raw_path))
        fault = self.plan(request)
        self.struck += fault is not None
        try:
            return await (fault or untouched)(request, self._ask(request))
        except ClientError:
            return _reset(request)  # the store itself is not there

    def _ask(self, request: web.Request) -> Ask:
        url = URL(str(URL(self.upstream).origin()) + request.raw_path, encoded=True)
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP]
        return lambda body: request.app[_SESSION].request(
            request.method, url, headers=headers, data=body if request.can_read_body else None, allow_redirects=False
        )


def script(*faults: Fault) -> Plan:
    """These faults, one a request, and then none."""
    left = iter(faults)
    return lambda _request: next(left, None)


async def untouched(request: web.Request, ask: Ask) -> web.StreamResponse:
    """No fault."""
    async with ask(request.content.iter_chunked(CHUNK)) as answer:
        response = await _begin(request, answer)
        async for chunk in answer.content.iter_chunked(CHUNK):
            await response.write(chunk)
        await response.write_eof()
        return response


def answers(status: int, code: str = "ServerBusy") -> Fault:
    """An error, with the store's code for it; the store itself never hears of the request."""

    async def fault(request: web.Request, _ask: Ask) -> web.StreamResponse:
        await request.read()
        return web.Response(status=status, headers={"x-ms-error-code": code})

    return fault


def resets() -> Fault:
    """The connection breaks before the store hears of the request."""

    async def fault(request: web.Request, _ask: Ask) -> web.StreamResponse:
        return _reset(request)

    return fault


def lost_answer() -> Fault:
    """The store does what is asked; the connection breaks before its answer."""

    async def fault(request: web.Request, ask: Ask) -> web.StreamResponse:
        async with ask(request.content.iter_chunked(CHUNK)) as answer:
            await answer.read()
        return _reset(request)

    return fault


def cut_request(after: int) -> Fault:
    """The connection breaks in the middle of what is sent, for both sides.

    Args:
        after: So many bytes reach the store.
    """

    async def fault(request: web.Request, ask: Ask) -> web.StreamResponse:
        async def some() -> AsyncIterator[bytes]:
            yield await request.content.readexactly(after)
            raise ConnectionResetError

        try:
            async with ask(some()):
                pass
        except (ClientError, ConnectionResetError):
            pass
        return _reset(request)

    return fault


def cut_answer(after: int) -> Fault:
    """The connection breaks in the middle of the answer's body, after so many bytes."""

    async def fault(request: web.Request, ask: Ask) -> web.StreamResponse:
        async with ask(request.content.iter_chunked(CHUNK)) as answer:
            response = await _begin(request, answer)
            await response.write((await answer.read())[:after])
        return _reset(request, response)

    return fault


def stalls(released: asyncio.Event | None = None) -> Fault:
    """Nothing more is heard, until the caller hangs up.

    Args:
        released: Set in the proxy's loop, it lets the request pass after all.
    """

    async def fault(request: web.Request, ask: Ask) -> web.StreamResponse:
        waiting = released or asyncio.Event()
        while not waiting.is_set() and request.transport is not None and not request.transport.is_closing():
            await asyncio.sleep(0.05)
        return await untouched(request, ask) if waiting.is_set() else _reset(request)

    return fault


async def _session(application: web.Application) -> AsyncIterator[None]:
    async with ClientSession(
        auto_decompress=False, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=None)
    ) as session:
        application[_SESSION] = session
        yield


async def _begin(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    headers = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    response.headers.extend(headers)
    await response.prepare(request)
    return response


def _reset(request: web.Request, response: web.StreamResponse | None = None) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return response or web.Response(status=499)
