"""What upload says while a store quotes its secrets back at it, as real ones do in their errors."""

import logging
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from prometheus_client import generate_latest

from edge_upload.sinks import SinkError
from edge_upload.sinks.blob.sink import BlobSink
from support.azurite import Azurite
from support.fault_proxy import Ask, Fault, FaultProxy
from support.upload import Bench, HurriedClock, item, predicted, predictions

STATUSES = [(400, "InvalidHeaderValue"), (403, "AuthenticationFailed"), (409, "BlobArchived"), (500, "InternalError")]


@dataclass
class Quoter:
    """Refuses, and quotes all that it was shown, where a store would quote the string that was to be signed.

    Attributes:
        quoted: Signatures, in each form in which they may be repeated.
    """

    quoted: set[str] = field(default_factory=set)

    def refuses(self, status: int, code: str) -> Fault:
        async def fault(request: web.Request, _ask: Ask) -> web.StreamResponse:
            await request.read()
            signed = request.headers.get("Authorization", "").rpartition(":")[2]
            sas = request.raw_path.rpartition("sig=")[2].partition("&")[0] if "sig=" in request.raw_path else ""
            self.quoted |= {secret for secret in (signed, sas, unquote(sas)) if secret}
            detail = escape(f"{request.raw_path} {unquote(request.raw_path)} {dict(request.headers)}")
            body = f"<Error><Code>{code}</Code><Message>{detail}</Message><Detail>{detail}</Detail></Error>"
            headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
            return web.Response(status=status, text=body, headers=headers)

        return fault


@pytest.fixture
def quoter() -> Quoter:
    return Quoter()


@pytest.fixture
def proxy(azurite_server: Azurite) -> Iterator[FaultProxy]:
    proxy = FaultProxy(azurite_server.endpoint)
    with proxy.running():
        yield proxy


@pytest.fixture(params=["key", "SAS"])
async def sink(request: pytest.FixtureRequest, azurite_server: Azurite, proxy: FaultProxy) -> AsyncIterator[BlobSink]:
    container = azurite_server.make_container()
    secret = azurite_server.sas(container, "rw") if request.param == "SAS" else None
    sink = azurite_server.sink(container, secret=secret, endpoint=proxy.address, clock=HurriedClock())
    yield sink
    await sink.close()


def hear_all(caplog: pytest.LogCaptureFixture) -> None:
    """Take what every library says, too; but the proxy here writes an access log of its own."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.ERROR, "aiohttp.access")


async def failures(sink: BlobSink, folder: Path) -> AsyncIterator[SinkError]:
    """What each thing that is asked of a store raises."""
    file = folder / "staged"
    file.write_bytes(b"")

    async def list_all() -> None:
        async with aclosing(sink.listing("")) as found:  # type: ignore[type-var]
            async for _ in found:
                pass

    for step in (sink.probe, list_all, lambda: sink.check("a"), lambda: sink.put("a", file, "0" * 64)):
        with pytest.raises(SinkError) as raised:
            await step()
        yield raised.value


@pytest.mark.parametrize(("status", "code"), STATUSES)
async def test_errors_and_their_traces_hold_no_signature(
    sink: BlobSink, proxy: FaultProxy, quoter: Quoter, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    status: int, code: str,
) -> None:  # fmt: skip
    hear_all(caplog)
    proxy.plan = lambda _request: quoter.refuses(status, code)
    shown = [line async for error in failures(sink, tmp_path) for line in traceback.format_exception(error)]
    assert quoter.quoted
    assert not [secret for secret in quoter.quoted if secret in "".join(shown) + caplog.text]


async def test_log_twin_and_metrics_hold_no_signature(
    sink: BlobSink, proxy: FaultProxy, quoter: Quoter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hear_all(caplog)
    bench = Bench(tmp_path)
    bench.clock, bench.sink = HurriedClock(), sink
    proxy.plan = lambda _request: quoter.refuses(403, "AuthenticationFailed")
    async with bench.running() as hub:
        hub.deliver("records", predictions(predicted(item("one"))))
        while "AuthenticationFailed" not in str(hub.reported.get("spool", {}).get("errors")):
            await bench.clock.sleep(1)
        shown = caplog.text + str(hub.reported) + generate_latest(bench.metrics.registry).decode()
    assert quoter.quoted
    assert not [secret for secret in quoter.quoted if secret in shown]
