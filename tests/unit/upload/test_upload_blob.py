"""The blob sink while the network, the store and its administrator do what they do."""

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web
from azure.storage.blob import ContainerClient

from edge_upload.sinks import SinkConflictError, SinkDeniedError, SinkError, SinkUnavailableError, StagedFileError
from edge_upload.sinks.blob.sink import BlobSink
from support.azurite import Azurite
from support.fault_proxy import (
    Ask,
    Fault,
    FaultProxy,
    Plan,
    answers,
    cut_answer,
    cut_request,
    lost_answer,
    resets,
    script,
    stalls,
    untouched,
)
from support.upload import HurriedClock

NAME = "originals/large"
MIB = 1 << 20


@pytest.fixture
def container(azurite_server: Azurite) -> str:
    return azurite_server.make_container()


@pytest.fixture
def proxy(azurite_server: Azurite) -> Iterator[FaultProxy]:
    proxy = FaultProxy(azurite_server.endpoint)
    with proxy.running():
        yield proxy


@pytest.fixture
async def sink(azurite_server: Azurite, container: str, proxy: FaultProxy) -> AsyncIterator[BlobSink]:
    sink = azurite_server.sink(container, endpoint=proxy.address, clock=HurriedClock())
    yield sink
    await sink.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "staged"
    path.write_bytes(os.urandom(21 * MIB))
    return path


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


async def content(sink: BlobSink) -> str:
    """The hash of what is read back."""
    return hashlib.sha256(b"".join([chunk async for chunk in sink.read(NAME)])).hexdigest()


def blocks_sent(proxy: FaultProxy) -> int:
    return sum(method == "PUT" and "comp=block&" in path for method, path in proxy.seen)


def on(fragment: str, *faults: Fault) -> Plan:
    """These faults for the first PUTs of the kind."""
    planned = script(*faults)
    return lambda request: planned(request) if request.method == "PUT" and fragment in request.path_qs else None


@pytest.mark.parametrize(
    "fault",
    [answers(500, "InternalError"), answers(503), answers(429), resets(), lost_answer(), cut_request(100_000)],
    ids=["500", "503", "429", "reset", "lost answer", "cut body"],
)
async def test_a_block_that_fails_is_sent_again(sink: BlobSink, proxy: FaultProxy, file: Path, fault: Fault) -> None:
    proxy.plan = on("comp=block&", fault, fault)
    stored = await sink.put(NAME, file, digest(file))
    assert (stored.written, proxy.struck) == (True, 2)
    assert blocks_sent(proxy) == 6 + 2
    assert await content(sink) == digest(file)


async def test_blocks_that_have_arrived_are_not_sent_again_after_a_restart(
    sink: BlobSink, azurite_server: Azurite, container: str, proxy: FaultProxy, file: Path
) -> None:
    arrived = 0

    async def passed(request: web.Request, ask: Ask) -> web.StreamResponse:
        nonlocal arrived
        response = await untouched(request, ask)
        arrived += 1
        return response

    async def refused(request: web.Request, ask: Ask) -> web.StreamResponse:
        while arrived < 3:
            await asyncio.sleep(0.01)
        return await answers(503)(request, ask)

    def three_blocks_pass(request: web.Request) -> Fault | None:
        if "comp=block&" not in request.path_qs:
            return None
        return passed if blocks_sent(proxy) <= 3 else refused

    proxy.plan = three_blocks_pass
    with pytest.raises(SinkUnavailableError, match="503"):
        await sink.put(NAME, file, digest(file))
    assert await sink.check(NAME) is None

    proxy.plan = script()
    proxy.seen.clear()
    later = azurite_server.sink(container, endpoint=proxy.address)
    assert (await later.put(NAME, file, digest(file))).written
    assert blocks_sent(proxy) == 3
    assert await content(later) == digest(file)
    await later.close()


async def test_a_commit_whose_answer_is_lost_is_found_done(sink: BlobSink, proxy: FaultProxy, file: Path) -> None:
    proxy.plan = lambda request: (
        lost_answer() if "comp=blocklist" in request.path_qs and request.method == "PUT" else None
    )
    with pytest.raises(SinkUnavailableError):
        await sink.put(NAME, file, digest(file))
    proxy.plan = script()
    stored = await sink.put(NAME, file, digest(file))
    assert not stored.written
    assert stored.etag


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AuthenticationFailed", SinkDeniedError),
        (404, "ContainerNotFound", SinkUnavailableError),
        (409, "BlobAlreadyExists", SinkConflictError),
        (409, "BlobImmutableDueToPolicy", SinkConflictError),
        (412, "ConditionNotMet", SinkConflictError),
        (500, "InternalError", SinkUnavailableError),
        (503, "ANewCode", SinkUnavailableError),
    ],
)
async def test_what_the_store_says_of_a_commit_is_understood_and_told_in_its_words(
    sink: BlobSink, proxy: FaultProxy, file: Path, status: int, code: str, kind: type[SinkError]
) -> None:
    proxy.plan = on("comp=blocklist", answers(status, code))
    with pytest.raises(kind, match=rf"{status} \({code}\)"):
        await sink.put(NAME, file, digest(file))


async def test_other_bytes_under_the_name_are_a_conflict_and_stay(
    sink: BlobSink, azurite_server: Azurite, container: str, file: Path
) -> None:
    with ContainerClient.from_connection_string(azurite_server.connection_string(), container) as theirs:
        theirs.upload_blob(NAME, b"theirs")
    with pytest.raises(SinkConflictError, match="other bytes"):
        await sink.put(NAME, file, digest(file))
    assert await sink.check(NAME) == hashlib.sha256(b"theirs").hexdigest()


async def test_two_that_store_the_same_at_once_both_succeed(
    sink: BlobSink, azurite_server: Azurite, container: str, file: Path
) -> None:
    other = azurite_server.sink(container)
    both = await asyncio.gather(*(one.put(NAME, file, digest(file)) for one in (sink, other)))
    assert sum(stored.written for stored in both) == 1
    assert both[0].etag == both[1].etag
    await other.close()


async def test_a_store_that_says_nothing_is_given_up(
    azurite_server: Azurite, container: str, proxy: FaultProxy, file: Path
) -> None:
    sink = azurite_server.sink(container, endpoint=proxy.address, clock=HurriedClock(), patience_s=0.2)
    proxy.plan = lambda _request: stalls()
    with pytest.raises(SinkUnavailableError, match=r"in time|Timeout|timed out"):
        await sink.put(NAME, file, digest(file))
    await sink.close()


async def test_an_answer_that_breaks_off_is_asked_for_again(sink: BlobSink, proxy: FaultProxy, file: Path) -> None:
    await sink.put(NAME, file, digest(file))
    proxy.plan = script(cut_answer(MIB))
    assert await content(sink) == digest(file)
    assert proxy.struck == 1


async def test_a_file_that_changes_on_its_way_is_not_committed(sink: BlobSink, proxy: FaultProxy, file: Path) -> None:
    sha256 = digest(file)

    def change(request: web.Request) -> Fault | None:
        if "comp=block&" in request.path_qs and blocks_sent(proxy) == 1:
            file.write_bytes(bytes(21 * MIB))
        return None

    proxy.plan = change
    with pytest.raises(StagedFileError, match="changes"):
        await sink.put(NAME, file, sha256)
    assert await sink.check(NAME) is None


async def test_a_store_that_is_not_there_and_a_container_that_is_not(azurite_server: Azurite) -> None:
    nowhere = azurite_server.sink("results", endpoint="http://127.0.0.1:9/edge")
    with pytest.raises(SinkUnavailableError, match="Connect"):
        await nowhere.probe()
    await nowhere.close()
    missing = azurite_server.sink("not-there")
    with pytest.raises(SinkUnavailableError, match="ContainerNotFound"):
        await missing.probe()
    await missing.close()


@pytest.mark.parametrize(("permissions", "missing"), [("r", "write into"), ("w", "read in"), ("l", "read in")])
async def test_the_probe_says_which_permission_is_missing(
    azurite_server: Azurite, container: str, permissions: str, missing: str
) -> None:
    sink = azurite_server.sink(container, secret=azurite_server.sas(container, permissions))
    with pytest.raises(SinkDeniedError, match=rf"cannot {missing} the container: .* needs r and w"):
        await sink.probe()
    await sink.close()


async def test_read_and_write_are_all_it_needs(azurite_server: Azurite, container: str, file: Path) -> None:
    sink = azurite_server.sink(container, secret=azurite_server.sas(container, "rw"))
    await sink.probe()
    await sink.put(NAME, file, digest(file))
    assert await sink.check(NAME) == digest(file)
    await sink.close()


async def test_credentials_are_replaced_while_it_runs(
    azurite_server: Azurite, container: str, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = azurite_server.sas(container, "rw"), azurite_server.sas(container, "r")
    sink = azurite_server.sink(container, secret=bad)
    secret = azurite_server.folder / container
    with pytest.raises(SinkDeniedError):
        await sink.put(NAME, file, digest(file))
    for text in (good, azurite_server.connection_string()):
        secret.write_text(text)
        await sink.probe()
        await sink.put(NAME, file, digest(file))
    secret.write_text("?sv=2019-07-07&sig=c2VjcmV0")
    with pytest.raises(SinkDeniedError) as denied:
        await sink.check(NAME)
    said = caplog.text + str(denied.value)
    for token in (good, bad, "sig=c2VjcmV0", azurite_server.key):
        assert token.rpartition("sig=")[2] not in said
    await sink.close()


async def test_it_speaks_the_version_of_the_appliance_s_own_store(
    azurite_server: Azurite, container: str, proxy: FaultProxy, file: Path
) -> None:
    versions = set()

    def note(request: web.Request) -> None:
        versions.add(request.headers["x-ms-version"])

    proxy.plan = note
    sink = azurite_server.sink(container, endpoint=proxy.address, api_version="2019-02-02")
    await sink.probe()
    await sink.put(NAME, file, digest(file))
    assert await content(sink) == digest(file)
    assert [one.sha256 async for one in sink.listing("originals/")] == [digest(file)]
    assert versions == {"2019-02-02"}
    await sink.close()
