"""Names that every store can hold."""

import re
from typing import Final

_FOLDER_OR_FILE: Final = re.compile(r"[A-Za-z0-9._~%=-]{1,255}", re.ASCII)


def checked(name: str) -> str:
    """The name itself.

    Raises:
        ValueError: It is not relative, leads upwards, or holds what some store cannot.
    """
    parts = name.split("/")
    if any(part in {".", ".."} or not _FOLDER_OR_FILE.fullmatch(part) for part in parts):
        raise ValueError(f"{name!r} cannot name a file in a store")
    return name
