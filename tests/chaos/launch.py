"""How each module's process is started: with which code, and which idea of the time."""

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chaos.deployment import MODULES

TESTS = Path(__file__).parents[1]
PREVIOUS = "d3218540f65eae918614366569af43a0c96b4f85"
"""The commit whose modules run beside today's: what devices have that are yet to be updated."""

SOURCE = Path(__file__).with_name("clock.c")


def clocks_can_lie() -> bool:
    """Whether the library can be built that lies about the time."""
    return shutil.which("cc") is not None


def has_previous() -> bool:
    """Whether the previous release is in the repository's history."""
    if shutil.which("git") is None:
        return False
    return subprocess.run(["git", "cat-file", "-e", PREVIOUS], check=False, stderr=subprocess.DEVNULL).returncode == 0


class Launcher:
    """Writes the environment that modules are started with.

    Args:
        root: Its folder.
    """

    def __init__(self, root: Path) -> None:
        self.scripts = root / "scripts"
        self._clocks = root / "clocks"
        self._previous = root / "previous"
        self._library = root / "clock.so"
        self._corrected = dict.fromkeys(MODULES, 0)

    def make(self) -> None:
        """Have all modules start as they are, at the true time."""
        self.scripts.mkdir(parents=True)
        self._clocks.mkdir()
        if clocks_can_lie():
            subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", self._library, SOURCE], check=True)
        if has_previous():
            self._export_previous()
        for module in MODULES:
            self._set_clock(module, 0)
            self._write(module, ())

    @contextmanager
    def clock(self, module: str, offset_s: int) -> Iterator[None]:
        """A running module's wall clock jumps, and later jumps back."""
        self._set_clock(module, self._corrected[module] + offset_s)
        try:
            yield
        finally:
            self._set_clock(module, self._corrected[module])

    def correct_clock(self, module: str, offset_s: int) -> None:
        """A running module's wall clock jumps for good."""
        self._corrected[module] += offset_s
        self._set_clock(module, self._corrected[module])

    @contextmanager
    def previous(self, module: str) -> Iterator[None]:
        """At its next start a module runs the previous release's code."""
        modules = self._previous / "modules"
        self._write(module, (modules / "common" / "src", modules / module / "src"))
        try:
            yield
        finally:
            self._write(module, ())

    def _export_previous(self) -> None:
        self._previous.mkdir()
        with subprocess.Popen(["git", "archive", PREVIOUS, "modules"], stdout=subprocess.PIPE) as archive:
            subprocess.run(["tar", "-x", "-C", self._previous], stdin=archive.stdout, check=True)

    def _set_clock(self, module: str, offset_s: int) -> None:
        """In place, since running modules have the file mapped."""
        with (self._clocks / module).open("r+b" if (self._clocks / module).exists() else "wb") as file:
            file.write(struct.pack("=q", offset_s))

    def _write(self, module: str, code: tuple[Path, ...]) -> None:
        environment = {"PYTHONPATH": os.pathsep.join(map(str, (*code, TESTS)))}
        if self._library.exists():
            environment |= {"LD_PRELOAD": str(self._library), "CHAOS_CLOCK": str(self._clocks / module)}
        lines = [f"export {name}='{value}'\n" for name, value in environment.items()]
        (self.scripts / module).write_text("".join(lines))
