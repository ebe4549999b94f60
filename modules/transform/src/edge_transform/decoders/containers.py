"""Whether a video's file has its end: a decoder takes one that was cut short for a short one.

What each container says of its own length: the boxes of MP4 (ISO/IEC 14496-12, 4.2), the chunks of AVI (RIFF), and the
one segment of Matroska (RFC 8794, 4 and 5).
"""

import os
from typing import BinaryIO, Final

BOX_HEAD: Final = 8
SIZE_FOLLOWS: Final = 1
"""What stands for the size of an MP4's box that is told in 64 bits."""

EBML_ID_BYTES: Final = 4


def is_whole(content_type: str, file: BinaryIO) -> bool:
    """Whether a file is as long as it says.

    Args:
        content_type: Of a video.
        file: Open; can seek.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return ENDS[content_type](file, size) <= size


def _mp4_end(file: BinaryIO, size: int) -> int:
    end = 0
    while end < size and len(head := file.read(2 * BOX_HEAD)) >= BOX_HEAD:
        length = int.from_bytes(head[:4])
        if length == SIZE_FOLLOWS:
            length = int.from_bytes(head[BOX_HEAD:])
        end = end + length if length >= BOX_HEAD else size  # the last may say that it goes to the end
        file.seek(end)
    return end


def _avi_end(file: BinaryIO, size: int) -> int:
    end = 0
    while end < size and (head := file.read(8)).startswith(b"RIFF"):
        end += 8 + int.from_bytes(head[4:], "little")
        file.seek(end)
    return end


def _matroska_end(file: BinaryIO, size: int) -> int:
    file.seek(_element_end(file, size))
    return _element_end(file, size)


def _element_end(file: BinaryIO, size: int) -> int:
    """Where the element ends that begins here; one of unknown length, as streams have, wherever the file does."""
    file.seek(EBML_ID_BYTES, os.SEEK_CUR)
    first = int.from_bytes(file.read(1))
    more = 8 - first.bit_length()
    bits = 7 * (more + 1)
    length = int.from_bytes(bytes([first]) + file.read(more)) & (1 << bits) - 1
    return size if length == (1 << bits) - 1 else file.tell() + length


ENDS: Final = {"video/avi": _avi_end, "video/matroska": _matroska_end, "video/mp4": _mp4_end}
"""By content type: where a file ends by what it says."""
