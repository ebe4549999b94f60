"""`$NAME` and `${NAME}` in templates, replaced in their text before anything is parsed, as iotedgedev does."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

_VARIABLE: Final = re.compile(r"\$(?:\{([^}]*)\}|(\w+))", re.ASCII)
_UNSET: Final = re.compile(r"\$\{([A-Za-z_][\w.]*|MODULEDIR<[^>]*>[\w.]*)\}", re.ASCII)


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace the names that `env` knows, and leave the others as they are."""
    return _VARIABLE.sub(lambda match: env.get(match[1] or match[2], match[0]), text)


def unset(text: str) -> list[str]:
    """Return the names in braces that are left in a text."""
    return list(dict.fromkeys(_UNSET.findall(text)))


def read_env_file(path: Path) -> dict[str, str]:
    """Read a file of `NAME=value` lines, none if it is not there; values may use names of the lines before."""
    found: dict[str, str] = {}
    for name, value in dotenv_values(path, interpolate=False).items():
        found[name] = expand(value or "", found)
    return found
