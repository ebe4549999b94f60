"""Which paths are to be taken."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from wcmatch import glob

OTHERS: Final = "items"
"""The kind of what fits no other."""

ANYWHERE: Final = "**/"

FLAGS: Final = glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB | glob.FORCEUNIX | glob.IGNORECASE


class PathFilter:
    """Globs, made ready.

    Args:
        include: What to take; ``**`` crosses folders, case does not matter.
        exclude: What to leave alone, though included.
    """

    def __init__(self, include: Sequence[str], exclude: Sequence[str]) -> None:
        self._include = _AnyOf(include)
        self._exclude = _AnyOf(exclude)

    def __contains__(self, path: str) -> bool:
        return path in self._include and path not in self._exclude


class Kinds:
    """Which kind of file a path is.

    Args:
        kinds: Globs by kind.
    """

    def __init__(self, kinds: Mapping[str, Sequence[str]]) -> None:
        self._kinds = [(kind, _AnyOf(globs)) for kind, globs in sorted(kinds.items())]

    def __getitem__(self, path: str) -> str:
        return next((kind for kind, globs in self._kinds if path in globs), OTHERS)


class _AnyOf:
    """Globs, those apart that tell nothing but a file's name: to look at the name alone costs a fraction."""

    def __init__(self, globs: Sequence[str]) -> None:
        at_any_depth = ["**/*" if pattern == "**" else pattern for pattern in globs]
        names = [pattern for pattern in at_any_depth if _tells_name(pattern)]
        self._names = _compiled([pattern.removeprefix(ANYWHERE) for pattern in names])
        self._paths = _compiled([pattern for pattern in at_any_depth if pattern not in names])

    def __contains__(self, path: str) -> bool:
        return bool(self._names.fullmatch(path.rpartition("/")[2]) or self._paths.fullmatch(path))


def _tells_name(pattern: str) -> bool:
    name = pattern.removeprefix(ANYWHERE)
    return name not in {"", pattern} and "/" not in name


def _compiled(globs: Sequence[str]) -> re.Pattern[str]:
    """One expression for all of them, which is several times as fast as one after the other."""
    expressions, _ = glob.translate(list(globs), flags=FLAGS)
    return re.compile("|".join(f"(?:{expression})" for expression in expressions) or r"(?!)")
