"""The whole suite on the simulator, as a process of its own, with folders in the shares' places."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_examples.drops import make_open
from edge_examples.trust import ROOTS
from edge_simulator.agent.guard import guard
from edge_simulator.control.client import ControlClient

TEMPLATE: Final = Path("deployment.template.json")
POLL_S: Final = 0.25
STOP_S: Final = 30.0
SETTLED: Final = ("uploaded", "done", "quarantined", "gone")
"""States of ingest's ledger from which nothing but retention leads on."""
AT_REST: Final = ("Active", "Failed", "Idle")
"""States of inference's model while none is on its way; ``last`` is of the change before until then."""

MODULES_TWINS: Final[Mapping[str, Mapping[str, Any]]] = {
    "ingest": {"reportSeconds": 0.5, "inquirySeconds": 10},
    "upload": {"shardSeconds": 5},
}
"""What is set otherwise than on a device, so that a run of a minute shows what there takes several."""


class SuiteError(RuntimeError):
    """The suite did not start, or did not do what was asked in time."""


@dataclass(frozen=True)
class Folders:
    """Where a run keeps what it makes.

    Attributes:
        root: Everything but the models and what signs them.
        models: The model share.
    """

    root: Path
    models: Path

    @property
    def share(self) -> Path:
        """The local share."""
        return self.root / "share"

    @property
    def trust(self) -> Path:
        """What signs the models, and the roots that the device trusts: kept between runs, as the models are."""
        return self.models.with_name("trust")

    @property
    def cloud(self) -> Path:
        """The cloud share."""
        return self.root / "cloud"

    @property
    def state(self) -> Path:
        """The simulator's state."""
        return self.root / "simulator"

    def make(self) -> None:
        """Make those that are not there."""
        for folder in (self.state, self.models):
            folder.mkdir(parents=True, exist_ok=True)
        for share in (self.share, self.cloud):
            make_open(share)


class Suite:
    """A running suite.

    Args:
        control: The simulator's control API.
        process: The simulator.
    """

    def __init__(self, control: ControlClient, process: asyncio.subprocess.Process) -> None:
        self._control = control
        self._process = process

    async def edit_twin(self, module: str, patch: Mapping[str, Any]) -> None:
        """Edit a module's desired properties."""
        await self._control.set_desired(module, patch)

    async def send(self, module: str, name: str, body: bytes) -> None:
        """Put a message on a module's input."""
        await self._control.send(module, name, body, {})

    async def process_of(self, module: str) -> int | None:
        """A module's process, or None while it does not run."""
        modules = (await self._control.status())["modules"]
        return next((entry["pid"] for entry in modules if entry["name"] == module), None)

    async def reported(self, module: str, name: str) -> Any:
        """One of a module's reported properties, or None."""
        twin = await self._control.twin(module)
        return twin["reported"].get(name)

    async def ledger(self) -> dict[str, int]:
        """How many items are in which state of ingest's ledger."""
        ledger = await self.reported("ingest", "ledger")
        return dict(ledger["items"]) if ledger else {}

    async def swap(self, desired: Mapping[str, Any], module: str = "inference") -> float:
        """Ask for a model and wait until it serves.

        Args:
            desired: The desired property ``model``.
            module: Which module is asked.

        Returns:
            Milliseconds from the edit's arrival at the module to the model serving, as the module has measured it.

        Raises:
            SuiteError: The module refused the model.
        """
        await self.edit_twin(module, {"model": desired})
        while True:
            model = await self.reported(module, "model") or {}
            last = model.get("last") or {}
            if model.get("requestId") == desired["requestId"] and model["state"] in AT_REST and last:
                if last.get("result") != "succeeded":
                    raise SuiteError(f"{module} refused the model: {last}")
                return float(last["milliseconds"])
            await self.pause()

    async def until_settled(self, files: int) -> dict[str, int]:
        """Wait until so many files are settled, and give the ledger's counts."""
        counts = await self.ledger()
        while sum(counts.get(state, 0) for state in SETTLED) < files:
            await self.pause()
            counts = await self.ledger()
        return counts

    async def pause(self) -> None:
        """Wait between two looks; raises SuiteError if the simulator has ended."""
        if self._process.returncode is not None:
            raise SuiteError(f"the simulator ended with status {self._process.returncode}")
        await asyncio.sleep(POLL_S)


@asynccontextmanager
async def running(folders: Folders, *arguments: str, manifest: Path = TEMPLATE) -> AsyncIterator[Suite]:
    """Start the suite; stop all of it at the end.

    Args:
        folders: Where it keeps what it makes.
        arguments: Further ones for ``edge-simulator run``.
        manifest: The deployment's manifest or template.

    Raises:
        SuiteError: It does not start.
    """
    folders.make()
    # The template's variables name the host's folders; --mount says which local folder stands in for each.
    shares = {"LOCAL_SHARE": folders.share, "CLOUD_SHARE": folders.cloud, "MODEL_SHARE": folders.models}
    shares["TRUST_SHARE"] = folders.trust / ROOTS
    sources = {variable: f"/mnt/{variable.lower()}" for variable in shares}
    mounts = [f"--mount={sources[variable]}={folder.resolve()}" for variable, folder in shares.items()]
    with guard() as mark:
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("edge-simulator"),
            *("run", str(manifest), "--state", str(folders.state), "--restart-backoff", "0.2", *mounts, *arguments),
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then stops the simulator
            env={**os.environ, **sources, **mark},
        )
        try:
            await _until_ready(process)
            async with ControlClient.connect(folders.state) as control:
                suite = Suite(control, process)
                for module, patch in MODULES_TWINS.items():
                    await suite.edit_twin(module, patch)
                yield suite
        finally:
            await _stop(process)


async def _until_ready(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None:
        raise SuiteError("the simulator's output cannot be read")
    while line := await process.stdout.readline():
        if line.startswith(b"ready"):
            return
    raise SuiteError(f"the simulator ended with status {await process.wait()}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
