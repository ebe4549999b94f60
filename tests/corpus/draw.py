"""Pictures to spoil, and the pieces that formats are made of."""

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ORIENTATION = 274


def picture(mode: str = "RGB", width: int = 48, height: int = 32) -> Image.Image:
    """A gradient, unlike in all its corners."""
    down, right = np.mgrid[0:height, 0:width]
    pixels = np.stack([down * 255 // height, right * 255 // width, (down + right) * 100 // width], -1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A picture as a file of that format of Pillow's."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def jpeg(**options: Any) -> bytes:
    return encoded(picture(), "JPEG", **options)


def png(**options: Any) -> bytes:
    return encoded(picture(), "PNG", **options)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG (RFC 2083, 3.2)."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of(width: int, height: int, data: bytes, *between: bytes, depth: int = 1) -> bytes:
    """A grey PNG of this deflated data, with further chunks before it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return PNG_SIGNATURE + header + b"".join(between) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def deflated_zeros(count: int) -> bytes:
    """So many zeros, in a thousandth of the space."""
    deflate = zlib.compressobj(9)
    piece = bytes(1 << 20)
    data = b"".join(deflate.compress(piece) for _ in range(count >> 20))
    return data + deflate.compress(bytes(count % (1 << 20))) + deflate.flush()


def exif(orientation: int) -> Image.Exif:
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags


def tiff(*entries: tuple[int, int, int, int], data: bytes = b"", following: int = 0) -> bytes:
    """A little-endian TIFF (TIFF 6.0, section 2) of one directory behind its data.

    Args:
        entries: Tag, type, count, value.
        data: From byte 8 on.
        following: Where it says that the next directory is.
    """
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    header = struct.pack("<2sHI", b"II", 42, 8 + len(data))
    return header + data + struct.pack("<H", len(entries)) + directory + struct.pack("<I", following)
