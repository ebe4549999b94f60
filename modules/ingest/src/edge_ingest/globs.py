"""Which paths are to be taken."""

import re
from collections.abc import Sequence
from typing import Final

from wcmatch import glob

FLAGS: Final = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.FORCEUNIX | glob.IGNORECASE


class PathFilter:
    """Globs, made ready.

    Args:
        include: What to take; ``**`` crosses folders, case does not matter.
        exclude: What to leave alone, though included.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = _any_of(include)
        self._exclude = _any_of(exclude)

    def __contains__(self, path: str) -> bool:
        return bool(self._include.fullmatch(path)) and not self._exclude.fullmatch(path)


def _any_of(globs: Sequence[str]) -> re.Pattern[str]:
    """One expression for all of them, which is several times as fast as one after the other."""
    expressions, _ = glob.translate(list(globs), flags=FLAGS)
    return re.compile("|".join(f"(?:{expression})" for expression in expressions) or r"(?!)")
