"""Small HTTP servers in a thread of their own, for clients that block."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from edge_simulator.agent import ports


@contextmanager
def serving(application: web.Application, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve an application on a free port; its address, with the scheme."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(application, shutdown_timeout=0)
    try:
        port = asyncio.run_coroutine_threadsafe(_start(runner, tls, host), loop).result(60)
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _start(runner: web.AppRunner, tls: ssl.SSLContext | None, host: str) -> int:
    await runner.setup()
    await web.TCPSite(runner, host, 0, ssl_context=tls).start()
    return int(runner.addresses[0][1])


def free_port() -> int:
    """A port of loopback for a server that takes its time to start."""
    return ports.free_port("127.0.0.1")
