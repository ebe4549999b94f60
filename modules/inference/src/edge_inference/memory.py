"""How much memory there is for a further model, before any of it is loaded.

The container's limit is control group v2's ``memory.max``
(https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files), or else the machine's.
"""

from pathlib import Path
from typing import Final

from edge_inference.errors import OutOfMemoryError
from edge_inference.package import GRAPH
from edge_inference.sizes import declared_bytes

_ROOT: Final = Path("/")


def check_memory(folder: Path, free: int) -> None:
    """See that a package fits the memory: its bytes, most of them weights, and the tensors that its graph declares.

    Args:
        folder: Its files.
        free: Bytes.

    Raises:
        OutOfMemoryError: They do not.
        LoadFailedError: The graph is no ONNX model.
    """
    needed = needed_memory(folder)
    if needed > free:
        raise OutOfMemoryError(f"its weights alone are {needed} bytes; {free} bytes of memory are left")


def needed_memory(folder: Path) -> int:
    """The bytes that a package takes at least; more than none.

    Raises:
        LoadFailedError: The graph is no ONNX model.
    """
    stored = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return max(stored, declared_bytes(folder / GRAPH))


def free_memory(root: Path = _ROOT) -> int:
    """Bytes that this process may still take: the limit, less what it has.

    Args:
        root: Where ``/proc`` and ``/sys`` are.
    """
    machine = _kilobytes(root / "proc/meminfo", "MemTotal")
    used = _kilobytes(root / "proc/self/status", "VmRSS")
    return max(0, min(machine, _limit(root / "sys/fs/cgroup/memory.max", machine)) - used)


def _limit(file: Path, otherwise: int) -> int:
    try:
        text = file.read_text().strip()
    except FileNotFoundError:
        return otherwise
    return otherwise if text == "max" else int(text)


def _kilobytes(file: Path, key: str) -> int:
    fields = dict(line.split(":", 1) for line in file.read_text().splitlines())
    return int(fields[key].split()[0]) * 1024
