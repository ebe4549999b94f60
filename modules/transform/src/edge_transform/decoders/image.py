"""Pictures, by Pillow.

The content type chooses Pillow's class, so Pillow's own guesses, and its many other formats, stay out of reach. A
picture's size is read from its header and checked before a pixel is decoded.
"""

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, Final

from PIL.BmpImagePlugin import BmpImageFile
from PIL.ExifTags import Base
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import DecompressionBombError, Image, Transpose
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from edge_common.contract import PictureInput
from edge_common.errors import ItemError
from edge_transform.decoders.gif import is_whole
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

FULL_SIZE: Final = "full size"
"""Where the ``info`` of a picture that fast decoding may have reduced has its width and height, upright."""

SUBFILE_TYPE: Final = 254
NO_PAGE: Final = 0b101
"""A TIFF's tag, and its bits for what is no page but a smaller copy of one, or a mask (TIFF 6.0, section 8)."""

CLASSES: Final[Mapping[str, type[ImageFile]]] = {
    "image/bmp": BmpImageFile,
    "image/gif": GifImageFile,
    "image/jpeg": JpegImageFile,
    "image/png": PngImageFile,
    "image/tiff": TiffImageFile,
    "image/webp": WebPImageFile,
}
"""Pillow's classes by content type."""

MAX_SCANS: Final = 50
"""A progressive JPEG has a dozen. Each is a pass over all pixels for a few bytes: hours, in a small file."""


def decode(content_type: str, file: BinaryIO, wanted: PictureInput, pixels: Room) -> Generator[Image, None, None]:
    """A file's picture, upright, in whatever mode it is stored; of several, every page or frame.

    Args:
        content_type: What the file is.
        file: The file.
        wanted: Its size and channels guide fast decoding.
        pixels: What the largest takes until the iteration ends; more than all of it are too many.

    Yields:
        What the next one may overwrite.

    Raises:
        ItemError: ``TOO_MANY_PIXELS``; ``BAD_PAGE`` for one of several; or ``DECODE_FAILED`` for a JPEG of very many
            scans, or a GIF without its end.
        Exception: Whatever Pillow makes of malformed data.
    """
    picture = _opened(CLASSES[content_type], file, pixels.most)
    if wanted.decode == "fast" and isinstance(picture, JpegImageFile):
        _reduce(picture, wanted)
    pages = _pages(picture, pixels.most)
    with pixels.taken(max(pages.values())):
        for page in pages:
            with _of_several(page, len(pages)):
                upright = _upright(picture, page, pixels.most)
            yield upright


def _opened(kind: type[ImageFile], file: BinaryIO, max_pixels: int) -> ImageFile:
    """The picture with its header read.

    WebP is measured by Pillow itself before it is opened, since opening allocates its canvas.
    """
    if kind is GifImageFile and not is_whole(file):
        raise ItemError("DECODE_FAILED", "this GIF is cut short")
    file.seek(0)
    try:
        picture = kind(file)
    except DecompressionBombError as error:
        raise ItemError("TOO_MANY_PIXELS", str(error)) from error
    _size(picture, max_pixels)
    if isinstance(picture, JpegImageFile) and (scans := count_scans(_content(file))) > MAX_SCANS:
        raise ItemError("DECODE_FAILED", f"this JPEG has {scans} scans, and {MAX_SCANS} are the most that is decoded")
    return picture


def _content(file: BinaryIO) -> bytes:
    """All of a file, whose position stays."""
    here = file.tell()
    file.seek(0)
    content = file.read()
    file.seek(here)
    return content


def _pages(picture: ImageFile, max_pixels: int) -> Mapping[int, int]:
    """The numbers of the pages that are pictures of their own, from 0, with the pixels of each."""
    count = getattr(picture, "n_frames", 1)
    if count == 1 or not isinstance(picture, TiffImageFile):  # the frames of an animation share a canvas
        return dict.fromkeys(range(count), _size(picture, max_pixels))
    pages = {}
    for page in range(count):
        picture.seek(page)
        if not page or not picture.tag_v2.get(SUBFILE_TYPE, 0) & NO_PAGE:
            pages[page] = _size(picture, max_pixels)
    return pages


def _size(picture: Image, max_pixels: int) -> int:
    """How many pixels it has; raises ItemError ``TOO_MANY_PIXELS``."""
    pixels = picture.width * picture.height
    if pixels > max_pixels:
        raise ItemError(
            "TOO_MANY_PIXELS", f"{picture.width} x {picture.height} pixels are more than maxPixels, {max_pixels}"
        )
    return pixels


@contextmanager
def _of_several(page: int, count: int) -> Iterator[None]:
    """Say which page cannot be decoded, where there are others."""
    try:
        yield
    except (ItemError, MemoryError):
        raise
    except Exception as error:  # malformed data makes decoders raise what nobody can enumerate
        if count == 1:
            raise
        raise ItemError("BAD_PAGE", f"page {page + 1} cannot be decoded ({error})") from error


def _upright(picture: ImageFile, page: int, max_pixels: int) -> Image:
    """A page, decoded."""
    picture.seek(page)
    _size(picture, max_pixels)  # a GIF's canvas can grow
    picture.load()
    turn = TURNS.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)


def _reduce(picture: JpegImageFile, wanted: PictureInput) -> None:
    """Have a JPEG decoded at the smallest of its scales (1, 1/2, 1/4, 1/8) that is not under the wanted size."""
    sideways = _orientation(picture) in SIDEWAYS
    picture.info[FULL_SIZE] = picture.size[::-1] if sideways else picture.size
    size = (wanted.width, wanted.height)
    picture.draft("L" if wanted.channels == "L" else "RGB", size[::-1] if sideways else size)


def _orientation(picture: Image) -> int:
    """EXIF's orientation, or 1 where there is none or its block is damaged, which spoils no picture."""
    try:
        return int(picture.getexif().get(Base.Orientation, 1))
    except (SyntaxError, TypeError, ValueError):
        return 1
