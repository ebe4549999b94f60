"""A copy of the project, for a module of one's own to be laid out in."""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import digits
from typing import Any, Final

from edge_simulator.control.client import ControlClient
from support.project import copy_to
from support.suite import Plant

NAME: Final = "alert"
"""Before `common` in the alphabet, where imports are sorted otherwise than in the files that are laid out."""


@dataclass(frozen=True)
class Copy:
    """The project in another folder."""

    root: Path

    @classmethod
    def below(cls, folder: Path) -> "Copy":
        """Copy the project."""
        copy_to(folder / "copy")
        return cls(folder / "copy")

    def run(self, program: str, *arguments: str, **variables: str) -> str:
        """Run a program of this environment in it, and return what it prints; fails with that."""
        command = [str(Path(sys.executable).with_name(program)), *arguments]
        done = subprocess.run(
            command, cwd=self.root, env={**os.environ, **variables}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def lay_out(self) -> None:
        """Lay out the module, as `make new-module` does."""
        self.run("python", "-m", "scaffold", NAME)
        self.run("ruff", "check", "--fix", f"modules/{NAME}", f"tests/unit/{NAME}")

    def files(self) -> dict[str, bytes]:
        """What every file holds."""
        paths = (
            path
            for path in self.root.rglob("*")
            if path.is_file() and not path.is_relative_to(self.root / ".ruff_cache")
        )
        return {path.relative_to(self.root).as_posix(): path.read_bytes() for path in paths}

    def deployed(self, **options: Any) -> Path:
        """Paste what the module has for it into the template; `options` are added to its createOptions."""
        part = json.loads((self.root / "modules" / NAME / "deployment.part.json").read_text())
        part["modules"][NAME]["settings"]["createOptions"] |= options
        template = self.root / "deployment.template.json"
        text = template.read_text()
        for section, members in part.items():
            assert text.count(f'"{section}": {{') == 1
            text = text.replace(f'"{section}": {{', f'"{section}": {_members(members)},')
        template.write_text(text)
        return template


async def check_data_goes_through(plant: Plant, manifest: Path, *arguments: str) -> None:
    """Run the suite with the module: every prediction is counted, and nothing else is otherwise than without it.

    Args:
        plant: The suite.
        manifest: The template with the module in it.
        arguments: Further ones for ``edge-simulator run``.
    """
    async with (
        plant.running(*arguments, manifest=manifest) as suite,
        ControlClient.connect(plant.folders.state) as control,
        control.events() as events,
    ):
        await suite.edit_twin(NAME, {"seconds": 0.5})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        counts = Counter[str]()
        while counts.total() < len(plant.drops):
            counts.update(_counted(await anext(events)))
        verdict = plant.verdict(closed, await suite.until_settled(len(plant.drops)))
    assert verdict.clean, verdict.wrong
    assert counts.keys() <= set(digits)


def _counted(event: Mapping[str, Any]) -> Mapping[str, int]:
    """What the module has sent to the cloud; nothing if the event is another one."""
    if event["kind"] == "reported" or event["systemProperties"].get("connectionModuleId") != NAME:
        return {}
    counts: Mapping[str, int] = json.loads(base64.b64decode(event["body"]))["counts"]
    return counts


def _members(members: Mapping[str, Any]) -> str:
    return json.dumps(members, indent=2).removesuffix("\n}")
