"""The workload API and the certificates behind it."""

import base64
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge_simulator import http
from edge_simulator.identity import Device
from edge_simulator.workload.api import WorkloadApi
from edge_simulator.workload.authority import Authority

DEVICE = Device("127.0.0.2", b"a secret")
SIGN = f"http://localhost/modules/%24edgeAgent/genid/{DEVICE.generation_id('$edgeAgent')}/sign?api-version=2020-07-07"


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, address: str) -> str | None:
    """Let two contexts shake hands in memory, and return the version that they agreed on."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(to_client, to_server, server_hostname=address)
    other = server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [one, other]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)
    return one.version()


def _trusting(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.pem)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_gateway_proves_its_address(tmp_path: Path, version: ssl.TLSVersion) -> None:
    authority = Authority.open(tmp_path)
    client = _trusting(authority)
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    client.minimum_version = client.maximum_version = version
    assert _handshake(client, authority.server_context("127.0.0.7"), "127.0.0.7") == version.name.replace("_", ".")


def test_another_address_is_not_believed(tmp_path: Path) -> None:
    authority = Authority.open(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        _handshake(_trusting(authority), authority.server_context("127.0.0.7"), "127.0.0.8")


def test_clients_go_on_trusting_after_a_restart(tmp_path: Path) -> None:
    before = Authority.open(tmp_path)
    after = Authority.open(tmp_path)
    assert _handshake(_trusting(before), after.server_context("127.0.0.8"), "127.0.0.8")


def test_authorities_do_not_trust_each_other(tmp_path: Path) -> None:
    one, other = Authority.open(tmp_path / "one"), Authority.open(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(_trusting(one), other.server_context("127.0.0.7"), "127.0.0.7")


def test_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    Authority.open(tmp_path).server_context("127.0.0.7")
    assert {path.name for path in tmp_path.iterdir()} == {"ca.key", "ca.pem", "server.key", "server.pem"}
    assert [path for path in tmp_path.iterdir() if path.stat().st_mode & 0o077] == []


def test_a_write_cut_short_by_a_kill_leaves_the_authority_whole(tmp_path: Path) -> None:
    (tmp_path / "ca.key.partial").write_bytes(b"-----BEGIN")
    Authority.open(tmp_path)
    (tmp_path / "ca.pem.partial").write_bytes(b"-----BEGIN")
    assert Authority.open(tmp_path).pem.startswith("-----BEGIN CERTIFICATE-----")


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    api = WorkloadApi(DEVICE, "the bundle", {"m", "$edgeAgent"})
    socket = tmp_path / "workload.sock"
    async with (
        http.serving(api.application(), socket),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as client,
    ):
        yield client


async def test_the_trust_bundle(client: aiohttp.ClientSession) -> None:
    async with client.get("http://localhost/trust-bundle?api-version=2019-01-30") as response:
        assert (response.status, await response.json()) == (200, {"certificate": "the bundle"})


async def test_signing(client: aiohttp.ClientSession) -> None:
    body = b'{"keyId": "primary", "algo": "HMACSHA256", "data": "' + base64.b64encode(b"text") + b'"}'
    async with client.post(SIGN, data=body, skip_auto_headers=["Content-Type"]) as response:
        digest = base64.b64encode(DEVICE.sign("$edgeAgent", b"text")).decode()
        assert (response.status, await response.json()) == (200, {"digest": digest})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"data": 1}', b'{"data": "no base64!"}', b"\xff"])
async def test_nothing_to_sign(client: aiohttp.ClientSession, body: bytes) -> None:
    async with client.post(SIGN, data=body) as response:
        assert response.status == 400
        assert "message" in await response.json()


@pytest.mark.parametrize(
    "path",
    ["/modules/other/genid/1/sign", "/modules/m/genid/1/sign", f"/modules/m/genid/{DEVICE.generation_id('n')}/sign"],
)
async def test_only_the_devices_modules_can_sign(client: aiohttp.ClientSession, path: str) -> None:
    body: Any = {"data": base64.b64encode(b"text").decode()}
    async with client.post(f"http://localhost{path}", json=body) as response:
        assert response.status == 404
        assert "message" in await response.json()


def test_keys_and_generations_differ_by_module_and_device() -> None:
    other = Device("127.0.0.2", b"another secret")
    assert len({DEVICE.key("m"), DEVICE.key("n"), other.key("m")}) == 3
    generations = {DEVICE.generation_id("m"), DEVICE.generation_id("n"), other.generation_id("m")}
    assert len(generations) == 3
    assert all(len(generation) == 18 for generation in generations)
