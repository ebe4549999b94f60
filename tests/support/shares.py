"""A Samba server, its client, and a mount of it through FUSE, as processes without privileges of their own."""

import getpass
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from edge_common.mounts import lies_on_remote
from support.web import free_port

_FETCHED: Final = Path(__file__).parents[2] / "build/shares"
_FOLDERS: Final = [_FETCHED / name for name in ("usr/sbin", "usr/bin", "bin")]
_LIBRARIES: Final = "usr/lib/x86_64-linux-gnu"
PATIENCE_S: Final = 60.0
"""How long anything may take on a busy machine."""

CONFIGURATION: Final = """
[global]
server role = standalone server
interfaces = 127.0.0.1
bind interfaces only = yes
smb ports = {port}
private dir = {state}
lock directory = {state}
state directory = {state}
cache directory = {state}
pid directory = {state}
ncalrpc dir = {state}/ncalrpc
log file = {state}/log
map to guest = Bad User
guest account = {user}
disable spoolss = yes
load printers = no
rpc start on demand helpers = no

[share]
path = {share}
read only = no
guest ok = yes
"""


@dataclass
class Server:
    """A Samba server that lets everybody in, as the user ``nobody`` where the tests run as root.

    Attributes:
        folder: Where everything is; ``share`` in it is what is served.
        port: On loopback.
    """

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def share(self) -> Path:
        return self.folder / "share"

    def start(self) -> None:
        command = [_tool("smbd"), "-F", "--no-process-group", "--debug-stdout", "-s", str(self.folder / "smb.conf")]
        with (self.folder / "smbd.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment(), user=_user())
        _until(lambda: not self.client("ls").wait(PATIENCE_S), "the server does not answer")

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(PATIENCE_S)
        self.process = None

    def client(self, *commands: str) -> "subprocess.Popen[bytes]":
        """The command-line client, at work."""
        command = [_tool("smbclient"), "//127.0.0.1/share", "-p", str(self.port), "-N", "-s"]
        return subprocess.Popen(
            [*command, str(self.folder / "smb.conf"), "-c", "; ".join(commands)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )

    def do(self, *commands: str) -> None:
        """Have the client do something, and wait until it has."""
        assert self.client(*commands).wait(PATIENCE_S) == 0


@contextmanager
def server() -> Iterator[Server]:
    """A running server with an empty share; skips the test where there is none."""
    for name in ("smbd", "smbclient"):
        _tool(name)
    folder = Path(tempfile.mkdtemp(prefix="edge-share-"))  # pytest's own folders let no other user in
    folder.chmod(0o755)
    running = Server(folder, free_port())
    user = _user() or getpass.getuser()
    for inner in ("share", "state"):
        (folder / inner).mkdir()
        (folder / inner).chmod(0o777)
    settings = {"port": running.port, "state": folder / "state", "share": running.share, "user": user}
    (folder / "smb.conf").write_text(CONFIGURATION.format(**settings))
    try:
        running.start()
        yield running
    finally:
        running.stop()
        shutil.rmtree(folder)


@contextmanager
def mounted(served: Server, point: Path) -> Iterator[None]:
    """The share, mounted through FUSE, which tells nobody of changes; skips the test where nothing can be mounted."""
    remote = f":smb,host=127.0.0.1,port={served.port},user=guest:share"
    options = ["--dir-cache-time=0s", "--attr-timeout=0s", "--vfs-cache-mode=writes", "--vfs-write-back=0s"]
    folders = [f"--cache-dir={served.folder}/cache", f"--config={served.folder}/rclone.conf", "--low-level-retries=1"]
    point.mkdir(exist_ok=True)
    with (served.folder / "rclone.log").open("ab") as log:
        command = [_tool("rclone"), "mount", remote, str(point), *options, *folders]
        process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())
    try:
        _until(lambda: lies_on_remote(point) or process.poll() is not None, "nothing is mounted")
        if process.poll() is not None:
            pytest.skip("needs leave to mount through FUSE")
        yield
    finally:
        if process.poll() is None:
            subprocess.run([_tool("fusermount3"), "-u", "-z", str(point)], check=True, env=_environment())
            process.wait(PATIENCE_S)


def _tool(name: str) -> str:
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, _FOLDERS)]))
    if found is None:
        pytest.skip(f"needs {name}: make shares")
    return found


def _environment() -> dict[str, str]:
    libraries = [
        str(_FETCHED / _LIBRARIES),
        str(_FETCHED / _LIBRARIES / "samba"),
        str(_FETCHED / "lib/x86_64-linux-gnu"),
    ]
    path = os.pathsep.join([os.environ["PATH"], *map(str, _FOLDERS)])
    return {**os.environ, "PATH": path, "LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def _user() -> str | None:
    return "nobody" if os.geteuid() == 0 else None


def _until(condition: Callable[[], bool], trouble: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, trouble
        time.sleep(0.05)
