"""What kind of file system a folder lies on, as Linux says in ``/proc/self/mountinfo`` (see proc(5))."""

import re
from pathlib import Path
from typing import Final

MOUNTINFO: Final = Path("/proc/self/mountinfo")

REMOTE: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb2", "smb3"}
    | {"smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""File systems that others write to without this kernel noticing."""


def file_system_type(folder: Path, mountinfo: str) -> str:
    """The type of the file system that a folder lies on; empty if that cannot be told.

    Args:
        folder: Resolved.
        mountinfo: The content of ``/proc/self/mountinfo``.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        mount, _, rest = line.partition(" - ")
        point = Path(_unescape(mount.split(" ")[4]))
        if folder.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), rest.split(" ", 1)[0]
    return kind


def is_remote(kind: str) -> bool:
    """Whether inotify misses what others write to such a file system."""
    return kind in REMOTE or kind == "fuse" or kind.startswith("fuse.")


def kind_of(folder: Path) -> str:
    """The type of the file system that a folder lies on now; empty if that cannot be told."""
    return file_system_type(folder.resolve(), MOUNTINFO.read_text())


def lies_on_remote(folder: Path) -> bool:
    """Whether inotify misses what others write to a folder."""
    return is_remote(kind_of(folder))


def _unescape(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
