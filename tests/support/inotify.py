"""What this process watches by inotify, as the kernel has it; see proc(5), /proc/[pid]/fdinfo."""

from contextlib import suppress
from pathlib import Path

FDS = Path("/proc/self/fd")
INSTANCE = "anon_inode:inotify"


def instances() -> int:
    """How many inotify instances there are."""
    return len(_instances())


def watches() -> int:
    """How many files and folders are watched; what happens to them from now on is noticed."""
    infos = [FDS.with_name("fdinfo") / name for name in _instances()]
    return sum(info.read_text().count("inotify wd:") for info in infos)


def _instances() -> list[str]:
    found = []
    for link in FDS.iterdir():
        with suppress(FileNotFoundError):
            if str(link.readlink()) == INSTANCE:
                found.append(link.name)
    return found
