"""What a measurement is valid for."""

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from edge_inference.processors import usable
from edge_inference.session import Plan, Session

_ROOT: Final = Path("/")
_RUNTIMES: Final = ("onnxruntime", "onnxruntime-gpu")


def fingerprint(session: Session, plan: Plan, root: Path = _ROOT) -> Mapping[str, str]:
    """Whatever changes it makes another measurement necessary.

    Args:
        session: What the model runs on.
        plan: What was asked for.
        root: Where ``/proc`` and ``/sys`` are.
    """
    return {
        "cores": str(usable(root)),
        "processor": _first(root / "proc/cpuinfo", "model name") or platform.machine(),
        "gpus": ", ".join(_gpus(root)),
        "driver": _text(root / "proc/driver/nvidia/version").partition("\n")[0],
        "runtime": ", ".join(_runtimes()),
        "providers": ", ".join(session.providers),
        "threads": str(plan.threads),
    }


def _gpus(root: Path) -> Iterable[str]:
    for about in sorted((root / "proc/driver/nvidia/gpus").glob("*/information")):
        yield _first(about, "Model")


def _runtimes() -> Iterable[str]:
    for name in _RUNTIMES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            continue


def _first(file: Path, key: str) -> str:
    """The value of the first line ``key: value``."""
    lines = (line.partition(":") for line in _text(file).splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == key), "")


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""
