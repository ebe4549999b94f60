"""The module as a process without IoT Edge: its model from the environment, its predictions over HTTP."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from edge_common.messages import ModelIdentity
from edge_inference.layout import pack
from edge_inference.record import Record
from support.models import contract, write_model
from support.web import free_port
from support.web_client import INFER, half_a_request, request, until


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a pod is given, where anybody on its machine may ask."""
    files = write_model(tmp_path / "files", contract())
    reference = pack(files, tmp_path / "models" / "library", "teller", "1")
    return {
        "STATE_DIR": str(tmp_path / "state"),
        "MODEL_DIR": str(tmp_path / "models"),
        "TENSOR_DIR": str(tmp_path / "nobody writes here"),
        "METRICS_ADDRESS": "127.0.0.1",
        "METRICS_PORT": str(free_port()),
        "HTTP_ADDRESS": "127.0.0.1",
        "HTTP_PORT": str(free_port()),
        "TRUST_POLICY": "off",
        "TWIN": json.dumps({"callers": 1, "model": wanted(reference)}),
    }


def wanted(reference: str) -> dict[str, Any]:
    return {"schema": 1, "name": "teller", "version": "1", "ref": reference}


@asynccontextmanager
async def module(environment: Mapping[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "edge_inference"),
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def end_of(environment: Mapping[str, str]) -> tuple[int | None, str]:
    """The status that it ends with by itself, and what it said."""
    async with module(environment) as process:
        said, _ = await process.communicate()
        return process.returncode, said.decode()


async def test_it_serves_its_model_and_finishes_what_it_has_begun(environment: dict[str, str]) -> None:
    port = int(environment["HTTP_PORT"])
    async with (
        module(environment) as process,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as asked,
        half_a_request_once_ready(asked, port) as finish,
    ):
        response = await asked.post(INFER, json=request(2))
        assert response.json()["outputs"][0]["data"] == [-2, 2]
        metrics = await asked.get(f"http://127.0.0.1:{environment['METRICS_PORT']}/metrics")
        assert 'edge_inference_http_requests_total{route="infer",status="200"} 1.0' in metrics.text
        process.send_signal(signal.SIGTERM)
        while not await refused(port):
            await asyncio.sleep(0.01)
        assert await finish() == 200
        assert await process.wait() == 0


@asynccontextmanager
async def half_a_request_once_ready(asked: httpx.AsyncClient, port: int) -> AsyncIterator[Any]:
    await until(asked, "/v2/health/ready", lambda response: response.status_code == 200)
    async with half_a_request(port) as finish:
        yield finish


async def refused(port: int) -> bool:
    """Whether nobody listens any more."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    return False


async def test_without_iot_edge_it_must_be_told_its_model(environment: dict[str, str]) -> None:
    del environment["TWIN"]
    status, said = await end_of(environment)
    assert (status, "no IoT Edge environment, and no TWIN that says" in said, "Traceback" in said) == (78, True, False)


@pytest.mark.parametrize(
    ("twin", "reason"),
    [
        ("model", "TWIN: Invalid JSON"),
        ("{}", "TWIN_MODEL: Field required"),
        (json.dumps({"callers": -1, "model": {**wanted("x"), "schema": 2}}), "TWIN_CALLERS: "),
    ],
)
async def test_what_it_is_told_must_make_sense(environment: dict[str, str], twin: str, reason: str) -> None:
    status, said = await end_of({**environment, "TWIN": twin})
    assert (status, reason in said, "Traceback" in said) == (78, True, False)


async def test_it_refuses_to_start_where_anybody_could_ask(environment: dict[str, str]) -> None:
    status, said = await end_of({**environment, "HTTP_ADDRESS": "10.0.0.1"})
    assert (status, "HTTP_ADDRESS 10.0.0.1 lets in anybody" in said, "Traceback" in said) == (78, True, False)


async def test_what_it_ran_before_does_not_keep_it_from_what_it_is_told(
    environment: dict[str, str], tmp_path: Path
) -> None:
    gone = {"name": "teller", "version": "0", "digest": "sha256:" + "0" * 64}
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "active.json").write_text(Record(active=ModelIdentity(**gone)).model_dump_json(by_alias=True))
    async with (
        module(environment),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['HTTP_PORT']}", timeout=60) as asked,
    ):
        await until(asked, "/v2/health/ready", lambda response: response.status_code == 200)


async def test_it_ends_if_its_model_cannot_be_had_so_that_it_is_started_again(environment: dict[str, str]) -> None:
    twin = json.dumps({"model": wanted("oci:nowhere@sha256:" + "0" * 64)})
    status, said = await end_of({**environment, "TWIN": twin})
    assert (status, "no model serves (NOT_FOUND)" in said, "Traceback" in said) == (1, True, False)
