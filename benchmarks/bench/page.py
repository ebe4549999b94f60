"""The page of a run's results."""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from shutil import copyfile
from typing import Final

from bench import goals
from bench.findings import Findings
from bench.processor import CORES
from bench.scale import Scale
from images.sources import revision

FIGURES: Final = ("pipeline_ratio", "best_peer_ratio", "overhead_ms_per_item", "http_ratio", "gpu_ratio")
"""What the last line has; null for what was not measured."""


def figures(found: Sequence[Findings]) -> Mapping[str, float | None]:
    """The last line."""
    measured = {name: value for findings in found for name, value in findings.figures.items()}
    return {name: measured.get(name) for name in FIGURES}


def write(folder: Path, day: date, measured_on: str, found: Sequence[Findings]) -> Path:
    """Write the page, and its pictures beside it, which changes the revision; gives its path.

    Args:
        folder: Where pages are.
        day: Names it.
        measured_on: From :func:`setting`, asked before.
        found: Of each part.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / f"{day}.md"
    placed = [_place(findings, page) for findings in found]
    aims = goals.markdown([goal for findings in found for goal in findings.goals])
    parts = (findings.markdown() for findings in placed)
    page.write_text("\n".join(filter(None, [f"# {day}\n", f"{measured_on}\n", aims, *parts])))
    return page


def setting(scale: Scale) -> str:
    """What it was measured on, and how much of everything."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("onnxruntime", "pillow", "azure-iot-device"))
    return (
        f"{_processor()}, {CORES} cores; Python {platform.python_version()}, {packages}; revision {revision()}. {scale}"
    )


def _place(findings: Findings, page: Path) -> Findings:
    if not findings.picture:
        return findings
    beside = page.with_name(f"{page.stem}-{findings.picture.name}")
    copyfile(findings.picture, beside)
    return replace(findings, picture=beside)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
