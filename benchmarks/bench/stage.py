"""The suite on the simulator, fed and measured."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

import pyarrow.compute as pc
import pyarrow.dataset as ds

from bench.laid import Laid, lay_out
from bench.processor import Busy, resident_mib, seconds_of
from edge_common.contract import Contract
from edge_examples.packages import publish
from edge_examples.suite import Folders, Suite, running
from edge_simulator.control.client import ControlClient

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - what is made in it has a name of its own
HUGE: Final = "huge=within_size"
"""As the deployment mounts the tensor store."""

SIMULATOR: Final = "simulator"
TWINS: Final[Mapping[str, Mapping[str, Any]]] = {"ingest": {"settleSeconds": 0}, "upload": {"shardSeconds": 2}}
"""Files are renamed into place, whole; and the times of results are read from shards, which are not waited for."""


@dataclass(frozen=True)
class Pushed:
    """What the suite made of some files.

    Attributes:
        files: How many.
        seconds: From all being on the share to the last result being in the spool.
        cpu_ms: CPU milliseconds a file, by process, until all are in the cloud share.
        memory: MiB resident afterwards, by process.
        others: CPUs that others kept busy meanwhile.
    """

    files: int
    seconds: float
    cpu_ms: Mapping[str, float]
    memory: Mapping[str, float]
    others: float

    @property
    def rate(self) -> float:
        """Files a second."""
        return self.files / self.seconds

    @property
    def modules_cpu_ms(self) -> float:
        """CPU milliseconds a file, of all modules."""
        return sum(value for name, value in self.cpu_ms.items() if name != SIMULATOR)


@dataclass(frozen=True)
class Look:
    """CPU seconds at one time.

    Attributes:
        cpu_s: Of each process of the suite.
        own: Of this process.
        machine: Of all.
    """

    cpu_s: Mapping[str, float]
    own: float
    machine: Busy


class Stage:
    """A suite, and what is beside it. Made by :func:`stage`."""

    def __init__(self, suite: Suite, control: ControlClient, folders: Folders) -> None:
        self.suite = suite
        self.control = control
        self.share = folders.share
        self._folders = folders
        self._settled = 0
        self._numbers = count(1)

    async def serve(self, name: str, model: tuple[bytes, Contract], version: str = "1") -> float:
        """Have a model serve; milliseconds that the swap took."""
        graph, contract = model
        made = self.model_folder(name)
        made.mkdir(parents=True, exist_ok=True)
        (made / "model.onnx").write_bytes(graph)
        (made / "contract.json").write_text(contract.model_dump_json(by_alias=True))
        ref = publish(graph, contract, self._folders.models, self._folders.trust, name, version)
        request = f"{name}-{version}-{next(self._numbers)}"
        return await self.suite.swap({"schema": 1, "name": name, "version": version, "ref": ref, "requestId": request})

    def model_folder(self, name: str) -> Path:
        """Where a model that was served lies, for others to run."""
        return self._folders.root / "graphs" / name

    def lay_out(self, contents: Sequence[bytes], files: int) -> Laid:
        """Make files beside the share, over and over of the same contents."""
        return lay_out(self._folders.root / "laid" / str(next(self._numbers)), contents, files)

    async def push(self, laid: Laid) -> Pushed:
        """Move files that were laid out into the share; done once all of them are in the cloud share.

        Raises:
            RuntimeError: Not all of it is.
        """
        before = await self.look()
        began = laid.move(self.share)
        await self.settled(laid.files)
        used, others = await self.used_since(before)
        last = self._last_stored(laid)
        cpu_ms = {name: seconds / laid.files * 1000 for name, seconds in used.items()}
        return Pushed(laid.files, last - began, cpu_ms, await self.memory(), others)

    async def settled(self, more: int) -> None:
        """Wait until so many further files are settled."""
        self._settled += more
        await self.suite.until_settled(self._settled)

    async def look(self) -> Look:
        """See who has had the processors until now."""
        cpu_s = {name: seconds_of(pid) for name, pid in (await self.processes()).items()}
        return Look(cpu_s, time.process_time(), Busy.now())

    async def used_since(self, before: Look) -> tuple[Mapping[str, float], float]:
        """CPU seconds of each process since a look, and how many CPUs others kept busy."""
        now = await self.look()
        used = {name: seconds - before.cpu_s[name] for name, seconds in now.cpu_s.items()}
        return used, before.machine.others([*used.values(), now.own - before.own])

    async def memory(self) -> dict[str, float]:
        """MiB resident of each process."""
        return {name: resident_mib(pid) for name, pid in (await self.processes()).items()}

    async def processes(self) -> dict[str, int]:
        """The simulator's and the modules'."""
        status = await self.control.status()
        return {SIMULATOR: status["pid"]} | {module["name"]: module["pid"] for module in status["modules"]}

    def _last_stored(self, laid: Laid) -> float:
        shards = sorted(self._folders.cloud.glob("records/**/*.parquet"))
        of_folder = pc.starts_with(pc.field("path"), f"{laid.folder.name}/")
        stored = ds.dataset(shards, format="parquet").to_table(["stored_at"], filter=of_folder)["stored_at"]
        if len(stored) != laid.files:
            raise RuntimeError(f"{len(stored)} of {laid.files} files have a result")
        return float(pc.max(stored).as_py().timestamp())


@asynccontextmanager
async def stage(folder: Path) -> AsyncIterator[Stage]:
    """Start the suite, its tensor store in memory as on a device; at the end stop it, and leave nothing.

    Args:
        folder: Where it keeps what it makes; emptied first.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folders = Folders(folder / "run", folder / "models")
    with _tensor_store() as tensors:
        try:
            async with (
                running(folders, f"--mount=tensors={tensors}") as suite,
                ControlClient.connect(folders.state) as control,
            ):
                for module, patch in TWINS.items():
                    await suite.edit_twin(module, patch)
                yield Stage(suite, control, folders)
        finally:
            shutil.rmtree(folder)


@contextmanager
def _tensor_store() -> Iterator[str]:
    """A folder in memory, with huge pages where this process may mount it so."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, ExitStack() as stack:
        options = ["-t", "tmpfs", "-o", HUGE, "tensors", folder]
        if mount and umount and subprocess.run([mount, *options], check=False, capture_output=True).returncode == 0:
            stack.callback(subprocess.run, [umount, "--lazy", folder], check=True)
        yield folder
