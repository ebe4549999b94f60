"""Preparation against the pipelines that models are trained with: torchvision's transforms, as NumPy and Pillow.

torchvision resizes pictures by Pillow, bilinear and against aliasing, rounds the size before it crops, and normalises
values between 0 and 1. Preparation averages where it shrinks to half or less, and crops fractions of a pixel, so that
the two differ by a little, which is stated here in levels of 255.
"""

from io import BytesIO
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps
from sklearn.datasets import load_sample_image

from edge_common.contract import ImageInput
from edge_transform.prepare import prepare
from unit.transform.pictures import encode

Channels = Literal["L", "RGB", "BGR"]
Resize = Literal["stretch", "crop", "letterbox"]
Decode = Literal["exact", "fast"]
Floats = npt.NDArray[np.float32]

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
GREY_MEAN, GREY_STD = np.array([0.5]), np.array([0.25])

STORED = (640, 427)
PHOTOGRAPHS = [encode(load_sample_image(name), "JPEG", quality=95) for name in ("china.jpg", "flower.jpg")]


def reference(content: bytes, size: tuple[int, int], channels: Channels, resize: Resize) -> Floats:
    """What training sees: torchvision's ``Resize``, ``CenterCrop`` or ``Pad``, ``ToTensor`` and ``Normalize``."""
    picture = ImageOps.exif_transpose(Image.open(BytesIO(content))).convert("L" if channels == "L" else "RGB")
    values = np.asarray(resized(picture, size, resize), np.float32).reshape(size[1], size[0], -1) / 255
    mean, std = (GREY_MEAN, GREY_STD) if channels == "L" else (MEAN, STD)
    tensor: Floats = ((values - mean) / std).transpose(2, 0, 1).astype(np.float32)
    return tensor[::-1] if channels == "BGR" else tensor


def resized(picture: Image.Image, size: tuple[int, int], resize: Resize) -> Image.Image:
    bilinear = Image.Resampling.BILINEAR
    match resize:
        case "stretch":
            return picture.resize(size, bilinear)
        case "letterbox":
            scale = min(size[0] / picture.width, size[1] / picture.height)
            inner = picture.resize((round(picture.width * scale), round(picture.height * scale)), bilinear)
            canvas = Image.new(picture.mode, size)
            canvas.paste(inner, ((size[0] - inner.width) // 2, (size[1] - inner.height) // 2))
            return canvas
        case "crop":
            scale = max(size[0] / picture.width, size[1] / picture.height)
            outer = picture.resize((round(picture.width * scale), round(picture.height * scale)), bilinear)
            left, top = round((outer.width - size[0]) / 2), round((outer.height - size[1]) / 2)
            return outer.crop((left, top, left + size[0], top + size[1]))


def contract(size: tuple[int, int], channels: Channels, resize: Resize, decode: Decode) -> ImageInput:
    """The same as a contract, whose units are pixels' levels."""
    mean, std = (GREY_MEAN, GREY_STD) if channels == "L" else (MEAN, STD)
    if channels == "BGR":
        mean, std = mean[::-1], std[::-1]
    return ImageInput(
        width=size[0],
        height=size[1],
        channels=channels,
        resize=resize,
        decode=decode,
        mean=tuple(255 * mean),
        scale=tuple(1 / (255 * std)),
    )


def levels(one: Floats, other: Floats, channels: Channels) -> Floats:
    """How far apart two tensors are, in levels of 255."""
    std = GREY_STD if channels == "L" else STD[::-1] if channels == "BGR" else STD
    apart: Floats = np.abs(one - other) * (255 * std)[:, None, None]
    return apart


def most(size: tuple[int, int], resize: Resize, decode: Decode) -> tuple[float, float]:
    """What they may be apart: in the mean, and 99 of 100 values."""
    scales = [wanted / stored for wanted, stored in zip(size, STORED, strict=True)]
    used = {"stretch": max(scales), "crop": max(scales), "letterbox": min(scales)}[resize]
    if used <= 1 / 2:
        return 3, 22  # the mean of what a pixel covers, and not of twice as much, weighted
    if resize == "crop":
        return 5, 40  # up to half a pixel of the result, on photographs of fine detail
    return (0.001, 0.001) if decode == "exact" else (0.1, 2)


@pytest.mark.parametrize("channels", ["L", "RGB", "BGR"])
@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("size", [(224, 224), (96, 64), (800, 600)])
@pytest.mark.parametrize("decode", ["exact", "fast"])
def test_what_is_prepared_is_what_was_trained_on(
    channels: Channels, resize: Resize, size: tuple[int, int], decode: Decode
) -> None:
    under = contract(size, channels, resize, decode)
    for content in PHOTOGRAPHS:
        apart = levels(prepare(content, under), reference(content, size, channels, resize), channels)
        in_the_mean, nearly_all = most(size, resize, decode)
        assert apart.mean() <= in_the_mean
        assert np.percentile(apart, 99) <= nearly_all


def test_orientation_is_applied_on_both_sides() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encode(Image.fromarray(load_sample_image("china.jpg")), "JPEG", exif=exif)
    under = contract((300, 448), "RGB", "stretch", "exact")
    apart = levels(prepare(content, under), reference(content, (300, 448), "RGB", "stretch"), "RGB")
    assert apart.max() <= 0.001
