"""Small file systems of a run's own, and what can go wrong with them.

All of them lie in a mount namespace of this process, so nothing of them is left when it ends, however it does.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

POLL_S = 0.05
FORBIDDEN = 0o000
BLOCK = 1 << 16


class MountError(RuntimeError):
    """The system does not mount or unmount."""


async def _run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await process.communicate()
    if process.returncode:
        raise MountError(f"{' '.join(map(str, command))}: {said.decode().strip()}")


@dataclass(frozen=True)
class Disk:
    """A small disk.

    Attributes:
        root: Where it is mounted.
        megabytes: Its size.
    """

    root: Path
    megabytes: int

    @property
    def content(self) -> Path:
        """The folder on it that others use."""
        return self.root / "content"

    async def mount(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        await _run("mount", "-t", "tmpfs", "-o", f"size={self.megabytes}m,mode=0755", "chaos", self.root)
        self.content.mkdir()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Whatever is free is taken by another."""
        ballast = self.root / "ballast"
        try:
            with ballast.open("wb", buffering=0) as file, suppress(OSError):
                while file.write(bytes(BLOCK)):
                    pass
            yield
        finally:
            ballast.unlink()

    @contextmanager
    def forbidden(self) -> Iterator[None]:
        """Permission is denied to everybody who has no special rights, as by an NFS server that throttles."""
        mode = self.content.stat().st_mode & 0o7777
        self.content.chmod(FORBIDDEN)
        try:
            yield
        finally:
            self.content.chmod(mode)


@dataclass(frozen=True)
class Share:
    """A disk as the device sees it: mounted, or for a while not.

    Attributes:
        disk: What is shared; others go on reading and writing there.
        root: Where the device has it mounted; nothing else is in the folder above.
    """

    disk: Disk
    root: Path

    async def mount(self) -> None:
        self.root.mkdir(parents=True)
        await _run("mount", "--bind", self.disk.content, self.root)

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        """Nothing can be written for a while."""
        await self._remount("ro")
        try:
            yield
        finally:
            await self._remount("rw")

    @asynccontextmanager
    async def missing(self) -> AsyncIterator[None]:
        """The folder is not there at all."""
        async with self._covered(self.root.parent):
            yield

    @asynccontextmanager
    async def unmounted(self) -> AsyncIterator[None]:
        """What is there is the empty folder that it is to be mounted on."""
        async with self._covered(self.root):
            yield

    async def _remount(self, mode: str) -> None:
        """Change what may be done; the system refuses while someone is writing."""
        while True:
            try:
                await _run("mount", "-o", f"remount,bind,{mode}", self.root)
            except MountError as error:
                if "busy" not in str(error):
                    raise
                await asyncio.sleep(POLL_S)
            else:
                return

    @asynccontextmanager
    async def _covered(self, folder: Path) -> AsyncIterator[None]:
        """An empty folder of the system's own disk takes a folder's place."""
        empty = Path(mkdtemp(prefix="under-", dir=self.disk.root.parent))
        await _run("mount", "--bind", empty, folder)
        try:
            yield
        finally:
            await _run("umount", "--lazy", folder)
            shutil.rmtree(empty, ignore_errors=True)  # someone may just be writing there
