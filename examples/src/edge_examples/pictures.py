"""What every example that takes pictures drops beside good ones."""

import struct
import zlib
from collections.abc import Sequence
from typing import Final

from edge_examples.drops import Drop, Manner

BOMB_SIDE: Final = 30_000


def bad(good: Sequence[Drop]) -> list[Drop]:
    """Files that must end in quarantine, each for its own reason.

    Args:
        good: Good files, of which the first JPEG is cut short.
    """
    whole = next(drop.content for drop in good if drop.path.endswith(".jpg"))
    return [
        Drop("bad/truncated.jpg", whole[: len(whole) // 2], code="DECODE_FAILED"),
        Drop("bad/empty.png", b"", code="EMPTY"),
        Drop("bad/text.png", b"This is no picture.\n", code="UNSUPPORTED"),
        Drop("bad/bomb.png", bomb(BOMB_SIDE), code="TOO_MANY_PIXELS"),
        Drop("bad/outside.png", b"/etc/hostname", Manner.LINK, code="SYMLINK"),
    ]


def bomb(side: int) -> bytes:
    """A small PNG of very many black pixels (the format: RFC 2083)."""
    row = bytes(1 + -(-side // 8))
    deflate = zlib.compressobj(9)
    data = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
