"""From a picture to a tensor under the contract.

Resampling: pixels are averaged (``BOX``) where both sides shrink to half or less, which by whole factors is exactly
the mean of each block; else they are interpolated (``BILINEAR``, widened where it shrinks, against aliasing).
Values are 8 bits deep until they become float32, if they do: of 16-bit pictures the upper byte counts. Transparency
shows black, as the borders of a letterbox do. Colour profiles are not applied.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_common.contract import PictureInput
from edge_common.errors import ItemError
from edge_common.messages import Frame
from edge_transform.decoders.image import FULL_SIZE
from edge_transform.prepare.geometry import Box, Size, fitted, frame, middle, whole
from edge_transform.rows import Row

UNBOUNDED: Final = frozenset({"I", "F"})
"""Modes of 32 bits a value, whose black and white are anyone's guess."""


def fill(picture: Image.Image, wanted: PictureInput, row: Row) -> Frame:
    """Prepare a picture into its row of a batch; where it lies in the picture.

    Args:
        picture: Upright.
        wanted: The contract's input half.
        row: Of ``wanted``'s ``sample_shape`` and ``sample_dtype``; filled with ``(pixel - mean) * scale``.

    Raises:
        ItemError: ``UNSUPPORTED``: 32-bit values.
    """
    mode = "L" if wanted.channels == "L" else "RGB"
    sized = _opaque(_resize(_simplify(picture, mode), wanted), mode)
    pixels = np.asarray(sized).reshape(wanted.height, wanted.width, wanted.depth).transpose(2, 0, 1)
    if wanted.channels == "BGR":
        pixels = pixels[::-1]
    if wanted.dtype == "uint8":
        row[:] = pixels
    else:
        np.subtract(pixels, _by_channel(wanted.mean), out=row)
        np.multiply(row, _by_channel(wanted.scale), out=row)
    return frame(picture.info.get(FULL_SIZE, picture.size), picture.size, wanted)


def _by_channel(values: tuple[float, ...]) -> npt.NDArray[np.float32]:
    return np.array(values, np.float32)[:, None, None]


def _simplify(picture: Image.Image, mode: str) -> Image.Image:
    """The picture in ``L`` (ITU-R BT.601 luma) or ``RGB``; or in ``RGBa``, whose colours show what black would."""
    if picture.mode in UNBOUNDED:
        raise ItemError("UNSUPPORTED", f"its values have 32 bits (mode {picture.mode}) and no known range")
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    if picture.mode == "LAB":  # from which Pillow knows no other way
        picture = picture.convert("RGB")
    if picture.has_transparency_data:
        return (picture if picture.mode == "RGBA" else picture.convert("RGBA")).convert("RGBa")
    return picture if picture.mode == mode else picture.convert(mode)


def _opaque(picture: Image.Image, mode: str) -> Image.Image:
    """A small picture without its transparency."""
    if picture.mode == "RGBa":
        picture = Image.fromarray(np.ascontiguousarray(np.asarray(picture)[..., :3]))
    return picture if picture.mode == mode else picture.convert(mode)


def _resize(picture: Image.Image, wanted: PictureInput) -> Image.Image:
    size = (wanted.width, wanted.height)
    if wanted.resize == "letterbox":
        return _letterbox(picture, size)
    return _resample(picture, size, middle(picture.size, size) if wanted.resize == "crop" else whole(picture.size))


def _letterbox(picture: Image.Image, size: Size) -> Image.Image:
    """The whole picture, as large as fits, in the middle of black."""
    inner, corner = fitted(picture.size, size)
    canvas = Image.new(picture.mode, size)
    canvas.paste(_resample(picture, inner, whole(picture.size)), corner)
    return canvas


def _resample(picture: Image.Image, size: Size, box: Box) -> Image.Image:
    shrinks = box[2] - box[0] >= 2 * size[0] and box[3] - box[1] >= 2 * size[1]
    return picture.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR, box)
