"""What a GIF's blocks tell before anything is decoded (GIF89a, appendix A)."""

from typing import BinaryIO, Final

EXTENSION, IMAGE, TRAILER = b"!", b",", b";"
SCREEN_BYTES: Final = 13
IMAGE_BYTES: Final = 9


def is_whole(file: BinaryIO) -> bool:
    """Whether a file has its end; a decoder takes one that was cut short between two frames for a short one."""
    file.seek(0)
    _skip_palette(file, file.read(SCREEN_BYTES)[10:11])
    while kind := file.read(1):
        if kind == TRAILER:
            return True
        if kind == EXTENSION:
            file.read(1)
        elif kind == IMAGE:
            _skip_palette(file, file.read(IMAGE_BYTES)[8:9])
            file.read(1)
        else:
            return False
        while size := file.read(1):
            if size == b"\0":
                break
            file.seek(size[0], 1)
    return False


def _skip_palette(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << (flags[0] & 7) + 1, 1)
