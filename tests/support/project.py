"""The project as a clone of it is."""

import shutil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]

_NOT_TRACKED: Final = (
    *(".git", ".venv", ".run", "build", "config"),
    *(".*_cache", ".hypothesis", "*.egg-info", "__pycache__"),
)


def copy_to(folder: Path) -> None:
    """Copy the project into a folder that is not there yet, less what git does not track."""
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*_NOT_TRACKED))
