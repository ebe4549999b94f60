"""MLflow's tracking server as a process."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from support.web import free_port

_INSTALLED = Path(__file__).parents[2] / "build/mlflow/bin/mlflow"
_PATIENCE_S = 90.0


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """A server that keeps its data under a folder; gives its address. Skips the test where it is not installed."""
    if not _INSTALLED.exists():
        pytest.skip("needs MLflow's server: make mlflow")
    port = free_port()
    database, artifacts = f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts")
    command = [str(_INSTALLED), "server", "--port", str(port), "--workers", "1", "--backend-store-uri", database]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, "--artifacts-destination", artifacts], stdout=log, stderr=log)
        try:
            _until_healthy(f"http://127.0.0.1:{port}", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def _until_healthy(uri: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{uri}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise TimeoutError("MLflow's server does not answer")
