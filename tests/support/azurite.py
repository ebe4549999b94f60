"""Azurite, the blob store that stands in for Azure's, as a process."""

import base64
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob import ContainerClient, ContainerSasPermissions, generate_container_sas

from edge_common.clock import Clock, SystemClock
from edge_upload.sinks.blob.container import Container, Place
from edge_upload.sinks.blob.credentials import SecretFile
from edge_upload.sinks.blob.sink import BlobSink
from support.tls import ServerTls
from support.web import free_port

_INSTALLED = Path(__file__).parents[2] / "build/azurite/node_modules/azurite/dist/src/blob/main.js"
_PATIENCE_S = 60.0


def available() -> bool:
    """Whether Azurite is installed, and what it runs on."""
    return shutil.which("node") is not None and _INSTALLED.exists()


@dataclass
class Azurite:
    """A store with one account; what it holds outlives its process.

    Attributes:
        folder: Where it keeps everything.
        account: The account's name.
        key: The account's key.
        port: On loopback.
        tls: Its certificate; it takes an identity's tokens, too, then. None for plain HTTP.
    """

    folder: Path
    account: str = "edge"
    key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode(), repr=False)
    port: int = field(default_factory=free_port)
    tls: ServerTls | None = None

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Its blob service's address."""
        return f"{self._scheme}://127.0.0.1:{self.port}/{self.account}"

    @property
    def _scheme(self) -> str:
        return "https" if self.tls else "http"

    def connection_string(self, endpoint: str | None = None) -> str:
        """What an administrator would copy, for another endpoint, too: a proxy in front."""
        name, key = f"AccountName={self.account}", f"AccountKey={self.key}"
        return f"DefaultEndpointsProtocol={self._scheme};{name};{key};BlobEndpoint={endpoint or self.endpoint};"

    def make_container(self) -> str:
        """An empty container; gives its name."""
        name = f"container-{secrets.token_hex(8)}"
        with self.client(name) as container:
            container.create_container()
        return name

    def client(self, container: str) -> ContainerClient:
        """The SDK's client, with the account's key; to be closed."""
        trusted = str(self.tls.certificate) if self.tls else True
        return ContainerClient.from_connection_string(self.connection_string(), container, connection_verify=trusted)

    def sas(self, container: str, permissions: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        """A SAS for a container, with permissions as they stand in its ``sp``."""
        return generate_container_sas(
            self.account,
            container,
            self.key,
            permission=ContainerSasPermissions.from_string(permissions),
            expiry=datetime.now(UTC) + lifetime,
        )

    def download(self, container: str, folder: Path) -> None:
        """Lay what a container holds into a folder, under the blobs' names."""
        with ContainerClient.from_connection_string(self.connection_string(), container) as client:
            for name in client.list_blob_names():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(client.download_blob(name).readall())

    def sink(
        self,
        container: str,
        *,
        secret: str | None = None,
        endpoint: str | None = None,
        clock: Clock | None = None,
        patience_s: float = 30.0,
        api_version: str | None = None,
        ca: Path | None = None,
    ) -> BlobSink:
        """A sink on a container; the file of its secret is ``folder / container``."""
        file = self.folder / container
        file.write_text(secret or self.connection_string())
        place = Place(f"{endpoint or self.endpoint}/{container}", api_version, ca)
        return BlobSink(Container(place, SecretFile(file), patience_s), clock or SystemClock())

    def start(self) -> None:
        """Start it, and wait until it answers; skips the test where there is none."""
        if not available():
            pytest.skip("needs Node.js and Azurite: make azurite")
        self.folder.mkdir(parents=True, exist_ok=True)
        options = ["--silent", "--disableTelemetry", "--skipApiVersionCheck"]
        if self.tls:
            options += [f"--cert={self.tls.certificate}", f"--key={self.tls.key}", "--oauth=basic"]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                ["node", _INSTALLED, *options, f"--blobPort={self.port}", f"--location={self.folder}"],
                stdout=log,
                stderr=log,
                env={"AZURITE_ACCOUNTS": f"{self.account}:{self.key}"},
            )
        until = time.monotonic() + _PATIENCE_S
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < until, "Azurite does not start"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in good order: it flushes what it has acknowledged, which SIGKILL would lose."""
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(_PATIENCE_S)
            self._process = None

    def freeze(self) -> None:
        """Let it hear and say nothing, with every connection left open."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """End what ``freeze`` has begun."""
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def running_azurite(folder: Path, tls: ServerTls | None = None) -> Iterator[Azurite]:
    """An empty store, until the end of the block."""
    azurite = Azurite(folder, tls=tls)
    azurite.start()
    try:
        yield azurite
    finally:
        azurite.stop()
