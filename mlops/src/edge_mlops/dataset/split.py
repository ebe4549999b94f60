"""Which items are for what. Pure.

The hash of an item's content decides. An item's id stands for one content, so an item is where it is for good,
whatever comes later; and so is the same content under another path, of another device, on another day.
"""

import hashlib
from typing import Final

SHARES: Final = {"train": 0.7, "validation": 0.15, "test": 0.15}
"""About so much of all items."""

SPLITS: Final = tuple(SHARES)


def split_of(sha256: str) -> str:
    """Where an item belongs.

    Args:
        sha256: Of its content, in hex.
    """
    place = int.from_bytes(hashlib.sha256(f"split {sha256}".encode()).digest()[:8]) / (1 << 64)
    for split, share in SHARES.items():
        if place < share:
            return split
        place -= share
    return SPLITS[-1]
