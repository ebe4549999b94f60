"""Modules as processes, with secrets that are refused and quoted back at them: nothing that they show holds one."""

import asyncio
import base64
import os
import re
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from edge_simulator.control.client import ControlClient
from support.registry import docker_config
from support.simulator import deployment, module, simulator
from support.web import serving

pytestmark = pytest.mark.system

POLL_S = 0.05
KEY = base64.b64encode(secrets.token_bytes(32)).decode()
SIGNATURE = secrets.token_hex(16)
PASSWORD = secrets.token_hex(16)
BASIC = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
CONNECTION = f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={KEY}"
SAS = f"?sv=2019-07-07&sr=c&sp=rw&sig={SIGNATURE}"
DIGEST = "sha256:" + "0" * 64
MODULES = ("upload", "inference")


@contextmanager
def quoting(shown: list[str]) -> Iterator[str]:
    """A store, and a registry, that refuse all, and quote what they were shown; gives their address."""

    async def refuse(request: web.Request) -> web.Response:
        quoted = f"{request.raw_path} {request.headers.get('Authorization', '')}"
        shown.append(quoted)
        headers = {"WWW-Authenticate": 'Basic realm="r"', "x-ms-error-code": "AuthenticationFailed"}
        return web.Response(status=401, headers=headers, text=f"<Error><Message>{quoted}</Message></Error>")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", refuse)
    with serving(application) as address:
        yield address


def manifest(folder: Path, address: str) -> Mapping[str, Any]:
    """Both modules; when they crash, Python writes a trace of every thread."""
    for name in (*MODULES, "tensors", "models"):
        (folder / name).mkdir()
    both = {"TENSOR_DIR": folder / "tensors", "METRICS_PORT": 0, "PYTHONFAULTHANDLER": 1, "LOG_LEVEL": "DEBUG"}
    upload = {"BLOB_CONTAINER": f"{address}/account/results", "BLOB_CREDENTIALS": folder / "credentials"}
    inference = {"ALLOWED_REGISTRIES": address, "REGISTRY_CREDENTIALS": folder / "config.json"}
    inference |= {"MODEL_DIR": folder / "models", "TRUST_POLICY": "off"}
    modules = {
        name: module(f"edge-{name}", env={key: {"value": str(value)} for key, value in about.items()})
        for name, about in {
            "upload": {**both, **upload, "STATE_DIR": folder / "upload"},
            "inference": {**both, **inference, "STATE_DIR": folder / "inference"},
        }.items()
    }
    host = address.partition("//")[2]
    model = {"schema": 1, "name": "m", "version": "1", "ref": f"{host}/m@{DIGEST}", "requestId": "1"}
    return deployment(routes={}, modules=modules, twins={"inference": {"model": model}})


async def until_shown(shown: list[str], *parts: str) -> None:
    """Wait until the servers have seen all of these."""
    while not all(any(part in quoted for quoted in shown) for part in parts):
        await asyncio.sleep(POLL_S)


async def crash(control: ControlClient, name: str, log: Path) -> None:
    """Have Python itself end a module, and write what its threads were at."""
    os.kill(await process_of(control, name), signal.SIGABRT)
    while not has_trace(log):
        await asyncio.sleep(POLL_S)


def has_trace(log: Path) -> bool:
    return "Fatal Python error" in log.read_text()


async def process_of(control: ControlClient, name: str) -> int:
    return next(int(entry["pid"]) for entry in (await control.status())["modules"] if entry["name"] == name)


def metrics_of(log: Path) -> str:
    """What the module with this log counts."""
    port = re.findall(r"metrics at http://0\.0\.0\.0:(\d+)", log.read_text())[-1]
    return httpx.get(f"http://127.0.0.1:{port}/metrics").text


def command_line(process: int) -> str:
    return Path(f"/proc/{process}/cmdline").read_text()


async def test_no_secret_is_in_a_log_a_crash_trace_a_metric_a_twin_or_a_command_line(tmp_path: Path) -> None:
    credentials, seen = tmp_path / "credentials", list[str]()
    credentials.write_text(SAS)
    with quoting(seen) as address:
        docker_config(tmp_path / "config.json", address.partition("//")[2], username="user", password=PASSWORD)
        with simulator(tmp_path / "simulator", manifest(tmp_path, address), "--restart-backoff", "0.1") as running:
            async with ControlClient.connect(running.state) as control:
                await until_shown(seen, SIGNATURE)
                credentials.write_text(CONNECTION)
                await until_shown(seen, "SharedKey account:", BASIC)
                logs = {name: running.state / "logs" / f"{name}.log" for name in MODULES}
                said = [repr(await control.twin(name)) for name in MODULES]
                for name, log in logs.items():
                    said += [metrics_of(log), command_line(await process_of(control, name))]
                    await crash(control, name, log)
        said += [log.read_text() for log in (*logs.values(), running.log)]
    hashes = {quoted.rpartition(":")[2] for quoted in seen if "SharedKey account:" in quoted}
    text = "".join(said)
    assert "401" in text
    assert [secret for secret in (KEY, SIGNATURE, PASSWORD, BASIC, *hashes) if secret in text] == []
