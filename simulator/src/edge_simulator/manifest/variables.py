"""Text substitution of `$NAME` and `${NAME}`, as iotedgedev does it before it parses anything."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\$(?:\{([^}]*)\}|(\w+))")


def expand(text: str, env: Mapping[str, str]) -> str:
    """Replace the names that `env` knows and leave the others as they are."""
    return _VARIABLE.sub(lambda match: env.get(match[1] or match[2], match[0]), text)
