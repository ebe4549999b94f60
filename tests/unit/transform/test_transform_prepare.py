"""Preparation against references that share no code with it."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.prepare import prepare
from unit.transform.pictures import Pixels, encode, noise, png

Resize = Literal["stretch", "crop", "letterbox"]
Floats = npt.NDArray[np.float64]


def wanted(
    width: int, height: int, channels: Literal["L", "RGB", "BGR"] = "RGB", resize: Resize = "stretch"
) -> ImageInput:
    depth = len(channels)
    return ImageInput(
        width=width, height=height, channels=channels, resize=resize, mean=(0,) * depth, scale=(1,) * depth
    )


def means_of_blocks(pixels: Pixels, height: int, width: int) -> Floats:
    rows, columns = pixels.shape[0] // height, pixels.shape[1] // width
    blocks = pixels.reshape(height, rows, width, columns, -1)
    means: Floats = blocks.mean((1, 3)).transpose(2, 0, 1)
    return means


def interpolated(pixels: Pixels, height: int, width: int) -> Floats:
    """Bilinear between the centres of pixels, which is what enlarging means."""

    def along(values: Floats, size: int) -> Floats:
        at = np.clip((np.arange(size) + 0.5) * len(values) / size - 0.5, 0, len(values) - 1)
        low = np.floor(at).astype(int)
        high = np.minimum(low + 1, len(values) - 1)
        weight = (at - low).reshape(-1, *[1] * (values.ndim - 1))
        mixed: Floats = values[low] * (1 - weight) + values[high] * weight
        return mixed

    tall = along(pixels.astype(float), height)
    return along(tall.swapaxes(0, 1), width).transpose(2, 1, 0)


def test_shape_and_type() -> None:
    row = prepare(encode(noise(30, 40, 3), "PNG"), wanted(12, 7))
    assert row.shape == (3, 7, 12)
    assert row.dtype == np.float32


def test_values_are_pixels_less_mean_times_scale() -> None:
    pixels = noise(6, 5, 3)
    contract = ImageInput(width=5, height=6, mean=(123.675, 116.28, 103.53), scale=(1 / 58.4, 1 / 57.1, 1 / 57.4))
    mean, scale = (np.array(values, np.float32) for values in (contract.mean, contract.scale))
    np.testing.assert_array_equal(
        prepare(encode(pixels, "PNG"), contract), ((pixels.astype(np.float32) - mean) * scale).transpose(2, 0, 1)
    )


@pytest.mark.parametrize("channels", ["L", "RGB", "BGR"])
@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_pixels_that_stay_as_they_are_are_those_that_floats_are_made_of(
    channels: Literal["L", "RGB", "BGR"], resize: Resize
) -> None:
    depth = len(channels)
    floats = ImageInput(width=9, height=7, channels=channels, resize=resize, mean=(0,) * depth, scale=(1,) * depth)
    found = prepare(png(size=23), floats.model_copy(update={"dtype": "uint8"}))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, prepare(png(size=23), floats))


def test_bgr_is_rgb_backwards_with_means_in_its_own_order() -> None:
    pixels = noise(6, 5, 3)
    contract = ImageInput(width=5, height=6, channels="BGR", mean=(1, 2, 3), scale=(1, 1, 1))
    expected = pixels[..., ::-1].transpose(2, 0, 1) - np.array([1, 2, 3], np.float32)[:, None, None]
    np.testing.assert_array_equal(prepare(encode(pixels, "PNG"), contract), expected)


def test_luma_is_that_of_bt601() -> None:
    pixels = noise(6, 5, 3)
    expected = pixels @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(prepare(encode(pixels, "PNG"), wanted(5, 6, "L"))[0], expected, atol=0.51)


def test_grey_becomes_three_equal_channels() -> None:
    pixels = noise(6, 5)
    np.testing.assert_array_equal(prepare(encode(pixels, "PNG"), wanted(5, 6)), np.stack([pixels] * 3))


@pytest.mark.parametrize(("height", "width"), [(64, 64), (16, 16), (24, 80)])
def test_shrinking_by_whole_factors_is_the_mean_of_each_block(height: int, width: int) -> None:
    pixels = noise(height, width, 3)
    row = prepare(encode(pixels, "PNG"), wanted(8, 8))
    np.testing.assert_allclose(row, means_of_blocks(pixels, 8, 8), atol=1)


@pytest.mark.parametrize(("height", "width"), [(8, 8), (5, 7), (15, 16)])
def test_enlarging_interpolates(height: int, width: int) -> None:
    pixels = noise(height, width, 3)
    row = prepare(encode(pixels, "PNG"), wanted(32, 16))
    np.testing.assert_allclose(row, interpolated(pixels, 16, 32), atol=1)


def test_a_constant_stays_what_it_is_at_every_size() -> None:
    for side in (1, 2, 7, 12, 13, 100):
        row = prepare(encode(np.full((side, side + 3), 77, np.uint8), "PNG"), wanted(9, 6, "L"))
        np.testing.assert_array_equal(row, np.full((1, 6, 9), 77))


@pytest.mark.parametrize("on_its_side", [False, True])
def test_crop_takes_the_middle(*, on_its_side: bool) -> None:
    pixels = noise(16, 48, 3)
    middle = pixels[:, 16:32]
    if on_its_side:
        pixels, middle = pixels.swapaxes(0, 1).copy(), middle.swapaxes(0, 1)
    row = prepare(encode(pixels, "PNG"), wanted(8, 8, resize="crop"))
    np.testing.assert_allclose(row, means_of_blocks(middle, 8, 8), atol=1)


@pytest.mark.parametrize("on_its_side", [False, True])
def test_letterbox_shows_all_between_black(*, on_its_side: bool) -> None:
    pixels = np.maximum(noise(16, 32, 3), 1)
    expected = np.zeros((3, 8, 8))
    expected[:, 2:6] = means_of_blocks(pixels, 4, 8)
    if on_its_side:
        pixels, expected = pixels.swapaxes(0, 1).copy(), expected.swapaxes(1, 2)
    row = prepare(encode(pixels, "PNG"), wanted(8, 8, resize="letterbox"))
    np.testing.assert_allclose(row, expected, atol=1)


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("size", [(1, 1), (1, 1000), (1000, 1), (3, 2)])
def test_extreme_proportions_work(resize: Resize, size: tuple[int, int]) -> None:
    content = encode(Image.new("RGB", size, "white"), "PNG")
    assert prepare(content, wanted(16, 8, resize=resize)).max() == 255


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_of_16_bits_the_upper_byte_counts(kind: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 65536, (6, 5), dtype=np.uint16)
    row = prepare(encode(Image.fromarray(pixels), kind), wanted(5, 6, "L"))
    np.testing.assert_array_equal(row[0], pixels // 256)


@pytest.mark.parametrize("values", [np.int32, np.float32])
def test_values_of_32_bits_have_no_known_range(values: type[np.generic]) -> None:
    content = encode(Image.fromarray(np.ones((4, 4), values)), "TIFF")
    with pytest.raises(ItemError) as raised:
        prepare(content, wanted(4, 4))
    assert raised.value.code == "UNSUPPORTED"


def test_cmyk_becomes_rgb() -> None:
    ink = Image.new("CMYK", (8, 8), (255, 0, 255, 0))  # cyan and yellow make green
    for kind in ("TIFF", "JPEG"):
        row = prepare(encode(ink, kind), wanted(8, 8))
        np.testing.assert_allclose(row.mean((1, 2)), [0, 255, 0], atol=3)


def test_one_bit_is_black_or_white() -> None:
    pixels = noise(8, 8) > 127
    row = prepare(encode(Image.fromarray(pixels), "PNG"), wanted(8, 8, "L"))
    np.testing.assert_array_equal(row[0], pixels * 255)


def test_a_palette_is_looked_up() -> None:
    picture = Image.fromarray(noise(8, 8, 3)).quantize(16)
    row = prepare(encode(picture, "PNG"), wanted(8, 8))
    np.testing.assert_array_equal(row.transpose(1, 2, 0), np.asarray(picture.convert("RGB")))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("channels", ["L", "RGB"])
def test_what_is_transparent_shows_black(kind: str, channels: Literal["L", "RGB"]) -> None:
    pixels = np.full((2, 4, 4), 200, np.uint8)
    pixels[..., 3] = [0, 0, 255, 255]
    row = prepare(encode(pixels, kind, **({"lossless": True} if kind == "WEBP" else {})), wanted(4, 2, channels))
    np.testing.assert_array_equal(row[0], [[0, 0, 200, 200]] * 2)


def test_a_transparent_entry_of_a_palette_shows_black() -> None:
    picture = Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    row = prepare(encode(picture, "PNG", transparency=b"\x00\x80"), wanted(2, 1))
    np.testing.assert_array_equal(row.transpose(1, 2, 0), [[[0, 0, 0], [0, 0, 128]]])


def test_a_colour_named_transparent_shows_black() -> None:
    content = encode(np.array([[10, 20]], np.uint8), "PNG", transparency=10)
    np.testing.assert_array_equal(prepare(content, wanted(2, 1, "L"))[0], [[0, 20]])


def test_a_picture_in_memory_is_prepared_as_its_file_is() -> None:
    pixels = noise(40, 30, 3)
    contract = wanted(12, 12, "BGR", "letterbox")
    np.testing.assert_array_equal(prepare(Image.fromarray(pixels), contract), prepare(encode(pixels, "PNG"), contract))
