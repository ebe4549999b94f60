"""The whole suite as processes on the simulator, fed with digits."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from edge_examples.digits.example import DIGITS
from edge_examples.drops import Drop, deliver_all
from edge_examples.packages import Packed, prepare
from edge_examples.suite import TEMPLATE, Folders, Suite, running
from edge_examples.verdict import Verdict, collect, judge


@dataclass(frozen=True)
class Plant:
    """A run: its folders, its models, and its files."""

    folders: Folders
    models: Sequence[Packed]
    drops: Sequence[Drop]

    @classmethod
    def build(cls, folder: Path, files: int) -> "Plant":
        folders = Folders(folder / "run", folder / "models")
        good = [drop for drop in DIGITS.drops(files) if drop.code is None]
        return cls(folders, prepare(DIGITS, folders.models, folders.trust), good)

    def with_drops(self, drops: Sequence[Drop]) -> "Plant":
        """The same with other files."""
        return replace(self, drops=drops)

    def running(self, *arguments: str, manifest: Path = TEMPLATE) -> AbstractAsyncContextManager[Suite]:
        return running(self.folders, *arguments, manifest=manifest)

    async def feed(self, drops: Sequence[Drop]) -> dict[str, float]:
        """Drop files as fast as they can be written; gives when each was complete."""
        return await deliver_all(drops, self.folders.share)

    def verdict(self, closed: Mapping[str, float], counts: Mapping[str, int]) -> Verdict:
        settled = counts.get("uploaded", 0) + counts.get("done", 0)
        return judge(self.drops, closed, collect(self.folders.share, self.folders.cloud, settled))


async def kill(suite: Suite, module: str) -> int:
    """Kill a module with SIGKILL, once it runs; gives the process that it was."""
    while (process := await suite.process_of(module)) is None:
        await suite.pause()
    os.kill(process, signal.SIGKILL)
    return process


def template_with(folder: Path, changes: Mapping[str, str]) -> Path:
    """A copy of the template with pieces replaced by others; what it refers to is still beside it."""
    for name in ("modules", ".env"):
        (folder / name).symlink_to(TEMPLATE.with_name(name).resolve())
    text = TEMPLATE.read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after, 1)
    manifest = folder / TEMPLATE.name
    manifest.write_text(text)
    return manifest


def quarantined(share: Path) -> dict[str, tuple[str, str]]:
    """Code and sentence of each file in quarantine."""
    notes = (json.loads(path.read_text()) for path in share.rglob("*.reason.json"))
    return {note["path"]: (note["code"], note["reason"]) for note in notes}


async def until_stored(suite: Suite, count: int) -> None:
    """Wait until so many results are durable."""
    counts: dict[str, int] = {}
    while sum(counts.get(state, 0) for state in ("accepted", "uploaded", "done")) < count:
        await suite.pause()
        counts = await suite.ledger()
