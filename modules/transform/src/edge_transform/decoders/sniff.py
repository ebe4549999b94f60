"""What a file is, by its first bytes; its name is not believed."""

import re
from typing import Final

HEAD_BYTES: Final = 512

SIGNATURES: Final = tuple(
    (content_type, re.compile(pattern, re.DOTALL))
    for content_type, pattern in (
        ("image/jpeg", rb"\xff\xd8\xff"),
        ("image/png", rb"\x89PNG\r\n\x1a\n"),
        ("image/bmp", rb"BM.{4}\0{4}"),
        ("image/tiff", rb"II[*+]\0|MM\0[*+]"),
        ("image/webp", rb"RIFF.{4}WEBP"),
        ("image/gif", rb"GIF8[79]a"),
        ("image/heif", rb".{4}ftyp(hei|mif1|avif)"),
        ("image/jp2", rb"\0{3}\x0cjP  |\xff\x4f\xff\x51"),
        ("video/mp4", rb".{4}ftyp"),
        ("video/matroska", rb"\x1a\x45\xdf\xa3"),
        ("video/avi", rb"RIFF.{4}AVI "),
        ("application/pdf", rb"%PDF-"),
        ("application/zip", rb"PK\x03\x04"),
        ("application/gzip", rb"\x1f\x8b"),
        ("application/vnd.apache.parquet", rb"PAR1"),
        ("application/vnd.apache.arrow.file", rb"ARROW1"),
        ("application/x-npy", rb"\x93NUMPY"),
        ("application/x-hdf5", rb"\x89HDF\r\n\x1a\n"),
        ("application/x-tar", rb".{257}ustar"),
        ("application/x-executable", rb"\x7fELF"),
        ("image/x-icon", rb"\0\0\x01\0[^\0]\0"),
        ("audio/wav", rb"(RIFF|RF64).{4}WAVE"),
        ("audio/flac", rb"fLaC"),
        ("text/plain; charset=utf-16", rb"\xff\xfe|\xfe\xff"),
        ("application/json", rb"(\xef\xbb\xbf)?\s*[\[{]"),
    )
)
"""Content types and how their files begin; the first that matches counts."""

CONTROL: Final = re.compile(rb"[\x00-\x08\x0e-\x1f]")
"""Bytes that text does not hold."""


def sniff(content: bytes) -> str:
    """The content type: one of the signatures', ``text/plain`` or ``application/octet-stream``.

    Text is told from other bytes by the file's beginning; what text it is (CSV, say) its bytes do not tell.

    Args:
        content: The file, or at least its beginning; not empty.
    """
    for content_type, pattern in SIGNATURES:
        if pattern.match(content, 0, HEAD_BYTES):
            return content_type
    return "application/octet-stream" if CONTROL.search(content, 0, HEAD_BYTES) else "text/plain"
