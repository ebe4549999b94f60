"""The device, the store, and the workbench of those who see to its model."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edge_examples.drops import Drop, deliver_all
from edge_examples.loop import commands
from edge_examples.loop.commands import Done
from edge_examples.packages import LAYOUT
from edge_examples.suite import TEMPLATE, Folders, Suite, running
from edge_examples.trust import signer
from edge_simulator.control.client import ControlClient

NAME: Final = "digits"
LABELS: Final = "labels.csv"
INPUT: Final[Mapping[str, Any]] = {
    "kind": "image",
    "name": "image",
    "width": 8,
    "height": 8,
    "channels": "L",
    "mean": [0],
    "scale": [1 / 255],
    "batch": 16,
}
FEW: Final = 2
PAUSE_S: Final = 0.2
"""Between a few files and the next ones."""

MODEL: Final[Mapping[str, Any]] = {"gate": {"bakeSeconds": 3, "p95Ratio": 100}}
"""What a rollout has the device hold models to. How long things take here says nothing of a device."""

SIGNING: Final = {"key": "signer.key", "chain": "chain.pem"}
"""Of the folder with what signs models."""

WATCHED: Final = frozenset({0, 3, 4})
"""Statuses of a watch that has come to something."""


class Plant:
    """All of it, while the device runs.

    Args:
        folders: Of the device.
        suite: The device.
        environment: Tells commands which hub it is.
        dropped: Files that were dropped before it ran.
    """

    def __init__(self, folders: Folders, suite: Suite, environment: Mapping[str, str], dropped: int) -> None:
        self.folders, self.suite, self._environment, self._dropped = folders, suite, environment, dropped

    @property
    def labels(self) -> Path:
        """The file of labels."""
        return self.folders.root / LABELS

    @property
    def layout(self) -> Path:
        """Where models are, as the device sees it, too."""
        return self.folders.models / LAYOUT

    async def feed(self, drops: Sequence[Drop]) -> None:
        """Drop files, and wait until all that were ever dropped are settled."""
        await self._drop(drops)
        await self.suite.until_settled(self._dropped)

    @asynccontextmanager
    async def traffic(self, name: str, drops: Sequence[Drop]) -> AsyncIterator[None]:
        """Have files come, a few at a time, below a folder of that name; at the end, wait until all are settled."""
        over = asyncio.Event()

        async def flow() -> None:
            for number in itertools.count():
                few = [drops[(number * FEW + n) % len(drops)] for n in range(FEW)]
                await self._drop([replace(drop, path=f"{name}/{number}/{drop.path}") for drop in few])
                await asyncio.sleep(PAUSE_S)
                if over.is_set():
                    return

        flowing = asyncio.create_task(flow())
        try:
            yield
        finally:
            over.set()
            await flowing
        await self.suite.until_settled(self._dropped)

    async def watch(self, **changes: Any) -> Mapping[str, Any]:
        """Have ``edge-mlops watch`` look once, by the usual plan with some changes; gives what it has come to."""
        file = self.folders.root / "plan.json"
        file.write_text(json.dumps(plan(self.folders) | changes, indent=2))
        done = await self.command("edge-mlops", "watch", file, "--once", statuses=WATCHED)
        outcome: dict[str, Any] = json.loads(done.lines[-1])
        return outcome | {"status": done.status}

    async def command(self, name: str, *arguments: str | Path, statuses: frozenset[int] = frozenset({0})) -> Done:
        """Run a command, which knows the hub."""
        return await commands.run(self._environment, name, *arguments, statuses=statuses)

    async def model(self) -> Mapping[str, Any]:
        """What the device reports of its model."""
        return await self.suite.reported("inference", "model") or {}

    async def active(self) -> str:
        """The version that serves."""
        return str(((await self.model()).get("active") or {}).get("version", ""))

    async def until_drift(self) -> Mapping[str, Any]:
        """Wait until the device says that its input drifts; gives what it says."""
        while True:
            drift: dict[str, Any] = await self.suite.reported("inference", "drift") or {}
            if drift.get("state") == "drift":
                return drift
            await self.suite.pause()

    async def _drop(self, drops: Sequence[Drop]) -> None:
        await deliver_all(drops, self.folders.share)
        self._dropped += len(drops)


def plan(folders: Folders) -> dict[str, Any]:
    """The plan of the watch."""
    return {
        "name": NAME,
        "store": str(folders.cloud.resolve()),
        "labels": LABELS,
        "input": "input.json",
        "folder": "watch",
        "layout": str((folders.models / LAYOUT).resolve()),
        "signing": {name: str((folders.trust / file).resolve()) for name, file in SIGNING.items()},
        "recipe": {"estimator": "perceptron"},
        "gate": {"precision": 0.7, "maxLatencyRatio": 100},
        "when": {"newItems": 300, "newItemsInDrift": 100},
        "rollout": rollout(),
    }


def rollout(**gate: float) -> dict[str, Any]:
    """How the fleet of one device takes a model."""
    model = {"gate": {**MODEL["gate"], **gate}}
    return {"waves": ["capabilities.iotEdge = true"], "waveSeconds": 300, "model": model}


@asynccontextmanager
async def plant(
    folders: Folders, twins: Mapping[str, Mapping[str, Any]], manifest: Path = TEMPLATE, dropped: int = 0
) -> AsyncIterator[Plant]:
    """Start the device, and set its modules' twins.

    Args:
        folders: Where it keeps what it makes.
        twins: Desired properties, by module.
        manifest: What it runs.
        dropped: Files that were dropped before.

    Raises:
        SuiteError: It does not start.
    """
    signer(folders.trust)
    async with running(folders, manifest=manifest) as suite, ControlClient.connect(folders.state) as control:
        (folders.root / "input.json").write_text(json.dumps(INPUT))
        for module, patch in twins.items():
            await suite.edit_twin(module, patch)
        service = await control.service()
        environment = {
            "IOTHUB_CONNECTION_STRING": service["connectionString"],
            "REQUESTS_CA_BUNDLE": service["certificate"],
        }
        yield Plant(folders, suite, environment, dropped)
