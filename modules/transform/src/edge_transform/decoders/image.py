"""Pictures, by Pillow.

The content type chooses Pillow's class, so Pillow's own guesses, and its many other formats, stay out of reach. A
picture's size is read from its header and checked before a pixel is decoded.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from io import BytesIO
from typing import Final

from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.Image import DecompressionBombError, Image, Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.decoders.jpeg import count_scans
from edge_transform.room import Room

TURNS: Final = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
"""What sets a picture upright, by the value of EXIF's tag 274 (EXIF 2.32, 4.6.4 A)."""

SIDEWAYS: Final = frozenset({5, 6, 7, 8})
"""The orientations that swap width and height."""

MAX_SCANS: Final = 50
"""A progressive JPEG has a dozen. Each is a pass over all pixels for a few bytes: hours, in a small file."""


def _decode(kind: type[ImageFile], content: bytes, wanted: ImageInput, pixels: Room) -> Iterator[Image]:
    """The picture, upright, in whatever mode it is stored; of a file with several, the first.

    Args:
        kind: Pillow's class for it.
        content: The file.
        wanted: Its size and channels guide fast decoding.
        pixels: What it takes until the iteration goes on; more than all of it are too many.

    Raises:
        ItemError: ``TOO_MANY_PIXELS``, or ``DECODE_FAILED`` for a JPEG of absurdly many scans.
        Exception: Whatever Pillow makes of malformed data.
    """
    picture = _opened(kind, content, pixels.most)
    if wanted.decode == "fast" and isinstance(picture, JpegImageFile):
        _reduce(picture, wanted)
    with pixels.taken(picture.width * picture.height):
        picture.load()
        turn = TURNS.get(_orientation(picture))
        yield picture if turn is None else picture.transpose(turn)


def _opened(kind: type[ImageFile], content: bytes, max_pixels: int) -> ImageFile:
    """The picture with its header read.

    WebP is measured by Pillow itself before it is opened, since opening allocates its canvas.
    """
    try:
        picture = kind(BytesIO(content))
    except DecompressionBombError as error:
        raise ItemError("TOO_MANY_PIXELS", str(error)) from error
    if picture.width * picture.height > max_pixels:
        raise ItemError(
            "TOO_MANY_PIXELS", f"{picture.width} x {picture.height} pixels are more than maxPixels, {max_pixels}"
        )
    if isinstance(picture, JpegImageFile) and (scans := count_scans(content)) > MAX_SCANS:
        raise ItemError("DECODE_FAILED", f"this JPEG has {scans} scans, and {MAX_SCANS} are the most that is decoded")
    return picture


def _reduce(picture: JpegImageFile, wanted: ImageInput) -> None:
    """Have a JPEG decoded at the smallest of its scales (1, 1/2, 1/4, 1/8) that is not under the wanted size."""
    size = (wanted.width, wanted.height)
    picture.draft("L" if wanted.channels == "L" else "RGB", size[::-1] if _orientation(picture) in SIDEWAYS else size)


def _orientation(picture: Image) -> int:
    """EXIF's orientation, or 1 where there is none or its block is damaged, which spoils no picture."""
    try:
        return int(picture.getexif().get(Base.Orientation, 1))
    except (SyntaxError, TypeError, ValueError):
        return 1


DECODERS: Final[Mapping[str, Callable[[bytes, ImageInput, Room], Iterator[Image]]]] = {
    "image/bmp": partial(_decode, BmpImageFile),
    "image/jpeg": partial(_decode, JpegImageFile),
    "image/png": partial(_decode, PngImageFile),
    "image/tiff": partial(_decode, TiffImageFile),
    "image/webp": partial(_decode, WebPImageFile),
}
