"""The held-out digits as image files of several kinds, and a handful of bad files among them."""

import io
import struct
import zlib
from typing import Final

import numpy as np

from edge_examples.digits.data import SEED, Split, draw
from edge_examples.drops import Drop, Manner

FORMATS: Final = (("png", "PNG"), ("jpg", "JPEG"), ("bmp", "BMP"))
SIZES: Final = ((32, 32), (64, 64), (48, 64), (160, 120))
FOLDERS: Final = ("", "line-1/", "line-2/", "line-2/camera-7/")
BOMB_SIDE: Final = 30_000


def good(held_out: Split, count: int) -> list[Drop]:
    """Digits as files; kind, size, folder and manner are drawn at random, seeded."""
    draws = np.random.default_rng(SEED).integers(0, 1 << 30, (count, 4)).tolist()
    return [_digit(held_out, index, tuple(numbers)) for index, numbers in enumerate(draws)]


def _digit(held_out: Split, index: int, numbers: tuple[int, ...]) -> Drop:
    suffix, kind = FORMATS[numbers[0] % len(FORMATS)]
    size = SIZES[numbers[1] % len(SIZES)]
    folder = FOLDERS[numbers[2] % len(FOLDERS)]
    manner = (Manner.WRITTEN, Manner.RENAMED, Manner.RENAMED, Manner.SLOW)[numbers[3] % 4]
    file = io.BytesIO()
    draw(held_out.images[index], size).save(file, kind)
    truth = (str(held_out.labels[index]),)
    return Drop(f"{folder}digit-{index:04d}.{suffix}", file.getvalue(), manner, truth)


def bad(example: Drop) -> list[Drop]:
    """Files that must end in quarantine, each for its own reason.

    Args:
        example: A good JPEG, to be cut short.
    """
    return [
        Drop("bad/truncated.jpg", example.content[: len(example.content) // 2], code="DECODE_FAILED"),
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
