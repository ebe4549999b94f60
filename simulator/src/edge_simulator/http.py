"""HTTP over Unix sockets, and over TLS."""

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from aiohttp import web


def serving(application: web.Application, path: Path) -> AbstractAsyncContextManager[None]:
    """Serve an application on a Unix socket until the block ends."""
    return _serving(application, lambda runner: web.UnixSite(runner, str(path)))


def serving_tls(
    application: web.Application, listener: socket.socket, tls: ssl.SSLContext
) -> AbstractAsyncContextManager[None]:
    """Serve an application on a bound socket over TLS until the block ends."""
    return _serving(application, lambda runner: web.SockSite(runner, listener, ssl_context=tls))


@asynccontextmanager
async def _serving(application: web.Application, site: Callable[[web.AppRunner], web.BaseSite]) -> AsyncIterator[None]:
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    try:
        await site(runner).start()
        yield
    finally:
        await runner.cleanup()
