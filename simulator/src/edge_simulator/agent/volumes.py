"""The mounts of modules as folders of this machine, and paths below them."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from edge_simulator.manifest import ModuleSpec


class Volumes:
    """Gives every volume and bind source a folder that all modules share, and every tmpfs one for its module alone."""

    def __init__(self, volumes: Path, tmpfs: Path, placed: Mapping[str, Path]) -> None:
        """Keep volumes below `volumes` and memory below `tmpfs`, but the sources in `placed` where it says."""
        self._volumes = volumes
        self._tmpfs = tmpfs
        self._placed = placed

    def folders(self, spec: ModuleSpec) -> dict[str, Path]:
        """Return a module's mounts as target to folder."""
        options = spec.options
        mounts = [*options.binds, *options.mounts]
        shared = {mount.target: self.folder(mount.source) for mount in mounts if mount.kind != "tmpfs"}
        memory = [*options.tmpfs, *(mount.target for mount in mounts if mount.kind == "tmpfs")]
        return shared | {target: self._tmpfs / spec.name / _flat(target) for target in memory}

    def prepare(self, spec: ModuleSpec) -> None:
        """Make a module's folders; its memory starts empty, as in a new container."""
        shutil.rmtree(self._tmpfs / spec.name, ignore_errors=True)
        for folder in self.folders(spec).values():
            if not folder.exists():
                folder.mkdir(parents=True)

    def folder(self, source: str) -> Path:
        """Return what stands in for a volume or a folder of the host."""
        return self._placed.get(source, self._volumes / _flat(source)).resolve()

    def is_placed(self, source: str) -> bool:
        """Say whether the user has chosen a folder for a volume or a folder of the host."""
        return source in self._placed


def relocate(value: str, folders: Mapping[str, Path]) -> str:
    """Return a path below a mount's target as it is on this machine, and any other value as it is."""
    for target in sorted(folders, key=len, reverse=True):
        base = target.rstrip("/")
        if value == base or value.startswith(base + "/"):
            return str(folders[target]) + value.removeprefix(base)
    return value


def working_folder(spec: ModuleSpec, folders: Mapping[str, Path], own: Path) -> Path:
    """Return where a module starts: its `WorkingDir` if that is in a mount, and else `own`: its image is not here."""
    stated = spec.options.working_dir or ""
    there = relocate(stated, folders)
    return own if there == stated else Path(there)


def _flat(path: str) -> str:
    return path.strip("/").replace("/", "_")
