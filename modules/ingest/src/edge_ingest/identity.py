"""An item's id: the same path with the same content is the same item, wherever and whenever it is computed."""

from hashlib import sha256
from typing import Final

ID_LENGTH: Final = 32
"""Hexadecimal digits, so 128 bits."""


def item_id(path: str, content_sha256: str, generation: int = 0) -> str:
    """The id of an item.

    It is the first 32 hexadecimal digits of ``sha256(path NUL content-sha256 NUL generation)``, with the path in UTF-8
    and the other two in ASCII (lower-case hexadecimal, decimal).

    Args:
        path: Relative to the share's root, POSIX.
        content_sha256: Of the whole content; empty for what has none that could be read.
        generation: 0; raised on purpose to process a kept file again.
    """
    return sha256(f"{path}\0{content_sha256}\0{generation}".encode()).hexdigest()[:ID_LENGTH]
