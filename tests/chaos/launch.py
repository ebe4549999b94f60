"""How each module's process is started: with which code, and which idea of the time."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from chaos.deployment import MODULES

TESTS = Path(__file__).parents[1]
PREVIOUS = "9687a60caeb397db405f98a437525df8e5b8592f"
"""The commit whose modules run beside today's: what devices have that are yet to be updated."""

NOW = "+0"
CLOCK = {
    # Deadlines and the files' times stay true: only the wall clock is wrong.
    "DONT_FAKE_MONOTONIC": "1",
    "NO_FAKE_STAT": "1",
    "FAKETIME_CACHE_DURATION": "1",
}


class Launcher:
    """Writes the environment that modules are started with.

    Args:
        root: Its folder.
        faketime: The library that lies about the time, where it is installed.
    """

    def __init__(self, root: Path, faketime: Path | None) -> None:
        self.scripts = root / "scripts"
        self._clocks = root / "clocks"
        self._previous = root / "previous"
        self._faketime = faketime

    def make(self) -> None:
        """Have all modules start as they are, at the true time."""
        self.scripts.mkdir(parents=True)
        self._clocks.mkdir()
        for module in MODULES:
            self._set_clock(module, NOW)
            self._write(module, ())

    @contextmanager
    def clock(self, module: str, offset: str) -> Iterator[None]:
        """A running module's wall clock jumps, and later jumps back; `offset` as libfaketime has it."""
        self._set_clock(module, offset)
        try:
            yield
        finally:
            self._set_clock(module, NOW)

    @contextmanager
    def previous(self, module: str) -> Iterator[None]:
        """At its next start a module runs the previous release's code."""
        modules = self._previous / "modules"
        self._write(module, (modules / "common" / "src", modules / module / "src"))
        try:
            yield
        finally:
            self._write(module, ())

    def export_previous(self) -> None:
        """Get the previous release's code out of the repository's history."""
        self._previous.mkdir()
        with subprocess.Popen(["git", "archive", PREVIOUS, "modules"], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", self._previous], stdin=archive.stdout, check=True)
        if archive.returncode:
            raise RuntimeError(f"git has no commit {PREVIOUS}")

    def _set_clock(self, module: str, offset: str) -> None:
        (self._clocks / module).write_text(offset)

    def _write(self, module: str, code: tuple[Path, ...]) -> None:
        environment: Mapping[str, str] = {"PYTHONPATH": os.pathsep.join(map(str, (*code, TESTS)))}
        if self._faketime:
            clock = {"LD_PRELOAD": str(self._faketime), "FAKETIME_TIMESTAMP_FILE": str(self._clocks / module)}
            environment = {**environment, **CLOCK, **clock}
        lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
        (self.scripts / module).write_text("".join(lines))
