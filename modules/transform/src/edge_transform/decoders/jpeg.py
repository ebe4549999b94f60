"""What a JPEG's markers tell before anything is decoded (ITU-T T.81, annex B)."""

import re
from typing import Final

MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""One that begins a segment: no stuffed byte, no marker that stands alone, no fill."""

START_OF_SCAN: Final = b"\xff\xda"
END_OF_IMAGE: Final = b"\xff\xd9"


def count_scans(content: bytes) -> int:
    """How many scans the first picture has: 1 in a baseline JPEG, a dozen in a progressive one.

    Args:
        content: The file; what follows its first picture (a preview, a film) does not count.
    """
    scans, at = 0, 2
    while (marker := MARKER.search(content, at)) and marker[0] != END_OF_IMAGE:
        scans += marker[0] == START_OF_SCAN
        at = marker.end() + int.from_bytes(content[marker.end() : marker.end() + 2])
    return scans
