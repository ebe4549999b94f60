"""A registry seen through a proxy that does what networks and bad registries do."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import ClientSession, web

from support.web import serving

_PASSED = {"content-type", "content-range", "location", "www-authenticate", "docker-content-digest"}


@dataclass(frozen=True)
class Answer:
    """What the registry answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


Fault = Callable[[web.Request, Answer], Awaitable[web.StreamResponse]]


@dataclass
class FaultyRegistry:
    """Passes requests on; answers to GETs of one blob go through the faults, one after the other.

    Attributes:
        upstream: The registry's address.
        spoilt: The digest of the blob.
        faults: What is still to go wrong.
        seen: The spoilt blob's requests, as they came.
    """

    upstream: str
    spoilt: str
    faults: deque[Fault] = field(default_factory=deque)
    seen: list[Mapping[str, str]] = field(default_factory=list)

    @contextmanager
    def running(self, host: str = "127.0.0.1") -> Iterator[str]:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._pass)
        with serving(application, host=host) as base:
            yield base

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name not in {"Host", "Accept-Encoding"}}
        async with (
            ClientSession(auto_decompress=False) as session,
            session.request(
                request.method, self.upstream + request.path_qs, headers=headers, allow_redirects=False
            ) as response,
        ):
            answer = Answer(
                response.status,
                {name: value for name, value in response.headers.items() if name.lower() in _PASSED},
                await response.read(),
            )
        if request.method == "GET" and request.path.endswith(f"/blobs/{self.spoilt}"):
            self.seen.append(dict(request.headers))
            if self.faults:
                return await self.faults.popleft()(request, answer)
        return whole(answer)


def whole(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


def broken_after(count: int) -> Fault:
    """The connection is reset mid-stream."""

    async def fault(request: web.Request, answer: Answer) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[:count])
        assert request.transport
        request.transport.close()
        return response

    return fault


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """Other bytes, of which as many come as are announced."""

    async def fault(_request: web.Request, answer: Answer) -> web.StreamResponse:
        return whole(Answer(answer.status, answer.headers, change(answer.body)))

    return fault


def status(code: int, **headers: str) -> Fault:
    """An answer without content; underscores in headers' names stand for hyphens."""

    async def fault(_request: web.Request, _answer: Answer) -> web.StreamResponse:
        return web.Response(status=code, headers={name.replace("_", "-"): value for name, value in headers.items()})

    return fault


def unauthorized(challenge: str) -> Fault:
    """Credentials are wanted, again."""

    async def fault(_request: web.Request, _answer: Answer) -> web.StreamResponse:
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    return fault


def redirect(base: str) -> Fault:
    """The blob is elsewhere, as cloud registries have it."""

    async def fault(request: web.Request, _answer: Answer) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": base + request.path_qs})

    return fault
