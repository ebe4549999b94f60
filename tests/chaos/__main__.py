"""``make chaos``: runs the fault suite and prints what it showed; the last line is one JSON object."""

import argparse
import asyncio
import ctypes
import os
import shutil
import sys
from pathlib import Path

from rich.console import Console

from chaos.faults import ALL
from chaos.runner import Options, run

INSIDE = "CHAOS_INSIDE"
"""Set once this process has mounts of its own."""
PR_CAPBSET_DROP = 24
READING_RIGHTS = (1, 2)
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH (linux/capability.h)."""


def main() -> None:
    if INSIDE not in os.environ:
        _enter()
    _drop_reading_rights()
    options = _options()
    console = Console()
    report = asyncio.run(run(options, ALL))
    report.publish(console)
    sys.exit(bool(report.troubles))


def _enter() -> None:
    """Start again in a mount namespace: what is mounted there is gone when the last process in it ends."""
    namespaces = ["--mount"] if os.geteuid() == 0 else ["--user", "--map-root-user", "--mount"]
    unshare = shutil.which("unshare")
    if not unshare:
        sys.exit("chaos needs unshare (util-linux)")
    os.environ[INSIDE] = "1"
    os.execv(unshare, ["unshare", *namespaces, sys.executable, "-m", "chaos", *sys.argv[1:]])


def _drop_reading_rights() -> None:
    """Have what is started from here heed permissions, also as root."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in READING_RIGHTS:
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0):
            raise OSError(ctypes.get_errno(), "the kernel keeps a capability")


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="decides all that is drawn (default: %(default)s)")
    parser.add_argument("--files", type=int, default=10_000, help="how many come (default: %(default)s)")
    parser.add_argument("--faults", type=int, default=200, help="how many strike (default: %(default)s)")
    parser.add_argument("--folder", type=Path, default=Path(".run/chaos"), help="emptied first (default: %(default)s)")
    parser.add_argument("--models", type=Path, default=Path(".run/models"), help="kept (default: %(default)s)")
    return Options(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
