"""Reads an item's file once, and makes sure that it is what ingest saw.

Anything else is rejected as ``CHANGED``: ingest looks at the path again and decides.
"""

import hashlib
from pathlib import Path

from edge_common.errors import ItemError
from edge_common.messages import Item
from edge_common.share import changed, open_item


def read_item(share: Path, item: Item, max_bytes: int) -> bytes:
    """An item's content.

    Args:
        share: The share's root, resolved.
        item: Which file, and what it was.
        max_bytes: More is not read.

    Raises:
        ItemError: ``TOO_LARGE``; ``CHANGED``; or, worth another try, ``GONE`` and ``IO``.
    """
    if item.size > max_bytes:
        raise ItemError("TOO_LARGE", f"the file has {item.size} bytes, and maxFileBytes is {max_bytes}")
    with open_item(share, item) as file:
        content = file.read(item.size)
    if hashlib.sha256(content).hexdigest() != item.sha256:
        raise changed("its content is not what was hashed")
    return content
