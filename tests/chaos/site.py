"""A run's place: its disks and shares, the simulator with the modules on it, and who writes the files."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from chaos.deployment import MODULES, deployment
from chaos.feeder import Feeder
from chaos.launch import Launcher
from chaos.places import Disk, Share
from chaos.stores import Store
from edge_examples.packages import Packed
from edge_examples.trust import ROOTS
from edge_simulator.control.client import ControlClient
from edge_simulator.errors import SimulatorError
from edge_simulator.state import State
from support.simulator import SimulatorProcess

POLL_S = 0.2
RESTART_BACKOFF_S = "0.2"

T = TypeVar("T")


@dataclass
class Disks:
    """What lies on small disks.

    Attributes:
        share: The local share, as the device has it mounted.
        cloud: The cloud share, likewise.
        ledger: Ingest's state.
        spool: Upload's state.
        tensors: The tensor store.
    """

    share: Share
    cloud: Share
    ledger: Disk
    spool: Disk
    tensors: Disk

    @classmethod
    def below(cls, root: Path) -> "Disks":
        return cls(
            share=Share(Disk(root / "nas", 2048), root / "local" / "share"),
            cloud=Share(Disk(root / "store", 256), root / "cloud" / "share"),
            ledger=Disk(root / "ledger", 64),
            spool=Disk(root / "spool", 64),
            tensors=Disk(root / "tensors", 24),
        )

    async def mount(self) -> None:
        for disk in (self.share.disk, self.cloud.disk, self.ledger, self.spool, self.tensors):
            await disk.mount()
        for share in (self.share, self.cloud):
            await share.mount()

    def volumes(self) -> dict[str, Path]:
        """Volumes of the deployment, by name."""
        return {
            "ingest-state": self.ledger.content,
            "upload-state": self.spool.content,
            "tensors": self.tensors.content,
        }


@dataclass(frozen=True)
class Given:
    """What a run starts from.

    Attributes:
        models: The models, of which the first one is active at the start.
        model_share: Where they are.
        trust: What they are signed by.
        retention: What becomes of uploaded files.
        store: What upload is told of its store.
    """

    models: tuple[Packed, ...]
    model_share: Path
    trust: Path
    retention: str
    store: Mapping[str, str]


def simulator(root: Path, disks: Disks, launcher: Launcher, given: Given) -> SimulatorProcess:
    """A simulator that is yet to be started, with its deployment."""
    shares = {
        "LOCAL_SHARE": disks.share.root,
        "CLOUD_SHARE": disks.cloud.root,
        "MODEL_SHARE": given.model_share.resolve(),
        "TRUST_SHARE": (given.trust / ROOTS).resolve(),
    }
    sources = {variable: f"/mnt/{variable.lower()}" for variable in shares}
    folders = {sources[variable]: folder for variable, folder in shares.items()} | disks.volumes()
    manifest = deployment(sources, launcher.scripts, given.retention, given.store, given.models[0].desired())
    mounts = [f"--mount={source}={folder}" for source, folder in folders.items()]
    return SimulatorProcess.in_folder(root, manifest, "--restart-backoff", RESTART_BACKOFF_S, *mounts)


class Site:
    """The suite, to which things are done.

    Args:
        process: The simulator, not yet started.
        disks: Its disks, mounted.
        store: Where results go.
        launcher: Starts modules.
        feeder: Writes files.
        models: The models, of which the first one is active.
    """

    def __init__(
        self,
        process: SimulatorProcess,
        disks: Disks,
        store: Store,
        launcher: Launcher,
        feeder: Feeder,
        models: tuple[Packed, ...],
    ) -> None:
        self.disks = disks
        self.store = store
        self.launcher = launcher
        self.feeder = feeder
        self.models = models
        self.state = State(process.state)
        self._simulator = process
        self._up = asyncio.Event()

    @asynccontextmanager
    async def running(self, mark: Mapping[str, str]) -> AsyncIterator[None]:
        """Run the simulator, with `mark` in the environment, until the block ends."""
        os.environ.update(mark)
        await self.start()
        try:
            yield
        finally:
            await asyncio.to_thread(self._simulator.stop)

    async def start(self) -> None:
        """Start the simulator, and with it the modules."""
        await asyncio.to_thread(self._simulator.start)
        self._up.set()

    async def kill(self) -> None:
        """Kill the simulator, and with it the modules."""
        self._up.clear()
        await asyncio.to_thread(self._simulator.kill)

    async def ask(self, call: Callable[[ControlClient], Awaitable[T]]) -> T:
        """Ask something of the simulator until it does it; it may be down, and a module may not run yet."""
        while True:
            await self._up.wait()
            try:
                async with self._simulator.control() as control:
                    return await call(control)
            except SimulatorError:
                await asyncio.sleep(POLL_S)

    def logs(self) -> list[Path]:
        """What the modules and the simulator have said."""
        return [*map(self.state.log, MODULES), self._simulator.log]

    async def edit_twin(self, module: str, patch: Mapping[str, Any]) -> None:
        """Edit a module's desired properties."""
        await self.ask(lambda control: control.set_desired(module, patch))
