"""onnxruntime, which is imported on first use: it takes 200 ms."""

import hashlib
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

CPU: Final = "CPUExecutionProvider"
CUDA: Final = "CUDAExecutionProvider"
FATAL_ONLY: Final = 4
"""The least severity of what onnxruntime logs by itself: what is an error is raised, too."""

_CPUS: Final = Path("/proc/cpuinfo")
_FEATURES: Final = ("flags", "Features")
"""What x86 and ARM have the CPU's instruction sets under."""


def load_runtime() -> Any:
    """The module ``onnxruntime``."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415 - see the module's docstring

    return onnxruntime


def usable(runtime: Any, providers: Sequence[str]) -> list[str]:
    """Those of some execution providers that are there; the CPU's where none is."""
    there = runtime.get_available_providers()
    return [name for name in providers if name in there] or [CPU]


def session_options(runtime: Any) -> Any:
    """Options of a session whose callers are one thread each."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = FATAL_ONLY
    return options


def fingerprint(runtime: Any, cpus: Path = _CPUS) -> str:
    """What a graph that was optimised here is bound to: onnxruntime's build, and the CPU's instruction sets."""
    lines = cpus.read_text(encoding="utf-8", errors="replace").splitlines()
    features = next((line for line in lines if line.startswith(_FEATURES)), "")
    told = (runtime.__version__, runtime.get_build_info(), platform.machine(), features)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def first_line(error: Exception) -> str:
    """What onnxruntime says of an error, without the rest."""
    return (str(error).splitlines() or [type(error).__name__])[0][:500]
