"""Debian's docker-registry as a process, and clients for it."""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edge_inference.registry.names import RegistryName
from edge_inference.registry.registries import Registries
from edge_inference.registry.repository import Repository
from support.tls import ServerTls
from support.tokens import ISSUER, SERVICE
from support.web import free_port

_FETCHED = Path(__file__).parents[2] / "build/registry/usr/bin"

HTPASSWD = "user:$2b$04$G2ab5BEG7aTgEWHCno/l1uGJAOuTvOJ16ThLAehzrNTW63mP5sA0S\n"
"""Bcrypt of ``secret``."""


@dataclass(frozen=True)
class RegistryServer:
    """A running registry.

    Attributes:
        base: Its address, with the scheme.
        data: Where it keeps everything.
    """

    base: str
    data: Path

    @property
    def host(self) -> str:
        return self.base.partition("//")[2]

    def blob(self, digest: str) -> Path:
        """The file that holds a blob."""
        code = digest.partition(":")[2]
        return self.data / "docker/registry/v2/blobs/sha256" / code[:2] / code / "data"

    def repository_folder(self, name: str) -> Path:
        return self.data / "docker/registry/v2/repositories" / name


@contextmanager
def running_registry(
    folder: Path, auth: Mapping[str, Any] | None = None, tls: ServerTls | None = None
) -> Iterator[RegistryServer]:
    """Start a registry that keeps its data under a folder; skips the test where there is none."""
    command = shutil.which("docker-registry", path=f"{os.environ['PATH']}:{_FETCHED}")
    if command is None:
        pytest.skip("needs docker-registry: make registry")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    certificate = {"tls": {"certificate": str(tls.certificate), "key": str(tls.key)}} if tls else {}
    configuration = {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}},
        "http": {"addr": f"127.0.0.1:{port}", "secret": "test", **certificate},
        **({"auth": auth} if auth else {}),
    }
    (folder / "registry.yml").write_text(json.dumps(configuration))
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen([command, "serve", str(folder / "registry.yml")], stdout=log, stderr=log)
    try:
        _wait(port, process, folder / "registry.log")
        yield RegistryServer(f"{'https' if tls else 'http'}://127.0.0.1:{port}", folder / "data")
    finally:
        process.terminate()
        process.wait(60)


def htpasswd(folder: Path) -> dict[str, Any]:
    """Registry settings that let in ``user`` with ``secret``."""
    path = folder / "htpasswd"
    path.write_text(HTPASSWD)
    return {"htpasswd": {"realm": "test", "path": str(path)}}


def bearer(realm: str, signer: ServerTls) -> dict[str, Any]:
    """Registry settings that want tokens."""
    return {"token": {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(signer.certificate)}}


def docker_config(path: Path, host: str, **entry: str) -> Path:
    """Write a docker configuration with one registry's credentials."""
    path.write_text(json.dumps({"auths": {host: entry}}))
    return path


@contextmanager
def repository(
    base: str, name: str = "models/teller", credentials: Path | None = None, ca: Path | None = None
) -> Iterator[Repository]:
    """A client for one repository of a registry."""
    registries = Registries.connect([base], credentials, ca)
    try:
        yield registries.repository(RegistryName(base.partition("//")[2], name, "", ""))
    finally:
        registries.close()


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError(log.read_text())
