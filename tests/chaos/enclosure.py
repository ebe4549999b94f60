"""What a run is shut in: a mount namespace, and permissions that count."""

import ctypes
import os
import shutil
import subprocess
import sys

INSIDE = "CHAOS_INSIDE"
"""Set once this process has mounts of its own."""

PR_CAPBSET_DROP = 24
READING_RIGHTS = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (linux/capability.h)."""


def available() -> bool:
    """Whether this system lets us mount in a namespace of our own."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_unshare(), "true"], check=False).returncode == 0


def enter(package: str) -> None:
    """Start a package's main program again in a namespace: what is mounted there goes with its last process."""
    if INSIDE in os.environ:
        return
    if not available():
        sys.exit("a mount namespace is needed: run as root, or where users may make namespaces (unshare, util-linux)")
    os.environ[INSIDE] = "1"
    command = [*_unshare(), sys.executable, "-m", package, *sys.argv[1:]]
    os.execvp(command[0], command)


def drop_reading_rights() -> None:
    """Have what is started from here heed permissions, also as root."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in READING_RIGHTS:
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel keeps a capability")


def _unshare() -> list[str]:
    return ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--mount"]
