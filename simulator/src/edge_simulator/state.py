"""The folder that a simulator keeps its state in, and that its commands find it by."""

import fcntl
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from edge_simulator.errors import StateInUseError
from edge_simulator.files import write_private

DEFAULT_STATE: Final = Path(".run/simulator")
# sun_path holds 108 bytes, the last of which ends the string (unix(7)).
_LONGEST_SOCKET_PATH: Final = 107
_CONTROL: Final = "control.sock"
_WORKLOAD: Final = "workload.sock"


class State:
    """The layout of a state folder."""

    def __init__(self, root: Path, authority: Path | None = None) -> None:
        """Lay a folder out; `authority` is the folder of a certificate authority that several states share."""
        self.root = root.resolve()
        self.database = self.root / "hub.sqlite"
        self.authority = authority or self.root / "authority"
        self.volumes = self.root / "volumes"
        self.tmpfs = self.root / "tmpfs"
        self.work = self.root / "work"
        self.configurations = self.root / "configurations.json"
        self._sockets = self.root / "sockets"

    def log(self, module: str) -> Path:
        """Return where a module's output goes."""
        return self.root / "logs" / f"{module}.log"

    @property
    def certificate(self) -> Path:
        """The root certificate that modules trust."""
        return self.authority / "ca.pem"

    def of_device(self, device_id: str) -> "State":
        """Return the state of one of several devices."""
        return State(self.root / device_id, self.authority)

    def devices(self) -> list[Path]:
        """Return the folders of the devices, if there are several, that run below this one."""
        found = [socket.parents[1] for socket in self.root.glob(f"*/sockets/{_CONTROL}")]
        return sorted(found, key=lambda folder: (len(folder.name), folder.name))

    @property
    def control_socket(self) -> Path:
        """Where the commands reach the simulator."""
        return self._sockets.resolve() / _CONTROL

    @property
    def workload_socket(self) -> Path:
        """Where modules reach the workload API."""
        return self._sockets.resolve() / _WORKLOAD

    @contextmanager
    def claim(self) -> Iterator[None]:
        """Hold the folder for one simulator.

        Raises:
            StateInUseError: another one has it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StateInUseError(
                    f"another simulator runs on state folder {self.root}: stop it, or give --state another folder"
                ) from error
            self._make_sockets()
            try:
                yield
            finally:
                self._remove_sockets()

    def secret(self) -> bytes:
        """Return the device's secret, made at the first call."""
        path = self.root / "device.key"
        if not path.exists():
            write_private(path, secrets.token_bytes(32))
        return path.read_bytes()

    def last_address(self) -> str | None:
        """Return the address of the simulator that had the folder before."""
        try:
            return self._address.read_text(encoding="ascii")
        except FileNotFoundError:
            return None

    def remember_address(self, address: str) -> None:
        """Keep the address, so that clients find the next simulator where this one was."""
        self._address.write_text(address, encoding="ascii")

    @property
    def _address(self) -> Path:
        return self.root / "address"

    def _make_sockets(self) -> None:
        """Make the sockets' folder; a link to a temporary one, where the state folder's path is too long."""
        if self._sockets.is_dir():
            return
        self._remove_sockets()
        if len(str(self._sockets / _WORKLOAD).encode()) <= _LONGEST_SOCKET_PATH:
            self._sockets.mkdir(mode=0o700)
        else:
            self._sockets.symlink_to(tempfile.mkdtemp(prefix="edge-simulator-"))

    def _remove_sockets(self) -> None:
        shutil.rmtree(self._sockets.resolve(), ignore_errors=True)
        with suppress(FileNotFoundError):
            self._sockets.unlink()
