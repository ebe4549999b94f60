"""What kind of file system a folder lies on, as Linux says in ``/proc/self/mountinfo`` (see proc(5))."""

import os
import re
from pathlib import Path
from typing import Final

MOUNTINFO: Final = Path("/proc/self/mountinfo")
FDINFO: Final = Path("/proc/self/fdinfo")

REMOTE: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "prl_fs", "smb2", "smb3"}
    | {"smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)
"""File systems that others write to without this kernel noticing."""


def file_system_type(folder: Path) -> str:
    """The type of the file system that a folder lies on now; empty if that cannot be told.

    The kernel names the mount itself, since one mount may hide another of the same path.

    Raises:
        OSError: The folder cannot be opened.
    """
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fdinfo = (FDINFO / str(descriptor)).read_text()
    finally:
        os.close(descriptor)
    mount = re.search(r"^mnt_id:\s*(\d+)$", fdinfo, re.MULTILINE)
    return type_of_mount(mount[1], MOUNTINFO.read_text()) if mount else ""


def type_of_mount(mount: str, mountinfo: str) -> str:
    """The type of a mount; empty if it is not there.

    Args:
        mount: Its number.
        mountinfo: The content of ``/proc/self/mountinfo``.
    """
    for line in mountinfo.splitlines():
        if line.startswith(f"{mount} "):
            return line.partition(" - ")[2].split(" ", 1)[0]
    return ""


def is_remote(kind: str) -> bool:
    """Whether inotify misses what others write to such a file system."""
    return kind in REMOTE or kind == "fuse" or kind.startswith("fuse.")


def lies_on_remote(folder: Path) -> bool:
    """Whether inotify misses what others write to a folder."""
    return is_remote(file_system_type(folder))
