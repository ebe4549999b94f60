"""A tensor store in memory: its pages count against the memory limit of the module that writes them.

The module whose twin has `storeBudgetBytes` keeps the store in a tmpfs volume under that budget.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject

_BUDGET: Final = "storeBudgetBytes"
_SHARE: Final = 0.75  # of the writer's memory; the rest is for its own work
_SIZE: Final = re.compile(r"(?:^|,)size=([0-9]+)([kmg]?)(?:,|$)", re.IGNORECASE)
_UNITS: Final = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def check(subject: Subject) -> Iterator[Finding]:
    """Find budgets that leave a writer too little memory, or are larger than the volume."""
    for module, twin in subject.twins.items():
        budget = twin.get(_BUDGET)
        if isinstance(budget, int) and module in subject.modules:
            volumes = _memory_volumes(subject, subject.modules[module])
            yield from _too_large_for_writers(subject, volumes, budget)
            yield from _too_large_for_volume(subject, module, volumes, budget)


def _too_large_for_writers(subject: Subject, volumes: dict[str, int | None], budget: int) -> Iterator[Finding]:
    for writer in subject.modules.values():
        memory = writer.host_config.get("Memory")
        writes = any(mount.source in volumes and not mount.read_only for mount in writer.options.mounts)
        if writes and memory and budget > memory * _SHARE:
            reason = f"{memory} bytes do not hold a tensor store of {budget} bytes and the module's own work"
            mend = f"raise it to {int(budget / _SHARE)} or more, or lower {_BUDGET}"
            yield Finding(writer.in_options("HostConfig", "Memory"), reason, mend)


def _too_large_for_volume(
    subject: Subject, module: str, volumes: dict[str, int | None], budget: int
) -> Iterator[Finding]:
    for volume, size in volumes.items():
        if size is not None and budget > size:
            reason = f"is more than the {size} bytes of volume {volume}"
            yield Finding(subject.content.place(module, _BUDGET), reason, "lower it, or raise size= of the volume")


def _memory_volumes(subject: Subject, module: ModuleEntry) -> dict[str, int | None]:
    declared = {name: size for entry in subject.modules.values() for name, size in _declared(entry)}
    return {mount.source: declared[mount.source] for mount in module.options.mounts if mount.source in declared}


def _declared(module: ModuleEntry) -> Iterator[tuple[str, int | None]]:
    for mount in module.host_config.get("Mounts") or ():
        driver: Any = (mount.get("VolumeOptions") or {}).get("DriverConfig") or {}
        volume_options = driver.get("Options") or {}
        if volume_options.get("type") == "tmpfs":
            size = _SIZE.search(volume_options.get("o") or "")
            yield mount.get("Source") or "", int(size[1]) * _UNITS[size[2].lower()] if size else None
