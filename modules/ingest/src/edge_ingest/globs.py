"""Which paths are to be taken."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from wcmatch import glob

OTHERS: Final = "items"
"""The kind of what fits no other."""

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


class Kinds:
    """Which kind of file a path is.

    Args:
        kinds: Globs by kind.
    """

    def __init__(self, kinds: Mapping[str, Sequence[str]]) -> None:
        self._kinds = [(kind, _any_of(globs)) for kind, globs in sorted(kinds.items())]

    def __getitem__(self, path: str) -> str:
        return next((kind for kind, globs in self._kinds if globs.fullmatch(path)), OTHERS)


def _any_of(globs: Sequence[str]) -> re.Pattern[str]:
    """One expression for all of them, which is several times as fast as one after the other."""
    expressions, _ = glob.translate(list(globs), flags=FLAGS)
    return re.compile("|".join(f"(?:{expression})" for expression in expressions) or r"(?!)")
