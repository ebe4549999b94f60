"""Where samples lie in their pictures: a mark in the picture is where its place in the sample says."""

from io import BytesIO
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edge_common.contract import ImageInput
from edge_common.messages import Frame
from edge_transform.prepare import prepare_into
from edge_transform.prepare.geometry import frame
from edge_transform.room import Room

Resize = Literal["stretch", "crop", "letterbox"]


def wanted(width: int, height: int, resize: Resize, decode: Literal["exact", "fast"] = "exact") -> ImageInput:
    return ImageInput(width=width, height=height, channels="L", resize=resize, decode=decode, mean=(0.0,), scale=(1.0,))


def centre(picture: npt.NDArray[Any]) -> tuple[float, float]:
    """Of what is bright, across and down, in pixels."""
    light = np.where(picture > 30, picture, 0).astype(float)
    down, across = (np.arange(size) + 0.5 for size in light.shape)
    return float(light.sum(0) @ across / light.sum()), float(light.sum(1) @ down / light.sum())


@pytest.mark.parametrize(
    ("resize", "box"),
    [
        ("stretch", (0, 0, 400, 200)),
        ("crop", (100, 0, 300, 200)),
        ("letterbox", (0, -100, 400, 300)),
    ],
)
def test_what_a_sample_shows(resize: Resize, box: tuple[float, ...]) -> None:
    assert frame((400, 200), (400, 200), wanted(40, 40, resize)) == Frame(width=400, height=200, box=box)
    assert frame((400, 200), (100, 50), wanted(40, 40, resize)) == Frame(width=400, height=200, box=box)


@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
@pytest.mark.parametrize("decode", ["exact", "fast"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_mark_is_found_where_it_is(resize: Resize, decode: Literal["exact", "fast"], orientation: int) -> None:
    stored = Image.new("L", (640, 480))
    stored.paste(255, (300, 200, 364, 264))
    exif = Image.Exif()
    exif[274] = orientation
    file = BytesIO()
    stored.save(file, "JPEG", quality=95, exif=exif)
    under = wanted(72, 48, resize, decode)
    row = np.zeros(under.sample_shape, np.float32)
    found = prepare_into(file.getvalue(), under, Room(1 << 20), row)
    upright = np.rot90(np.asarray(stored), {1: 0, 3: 2, 6: 3, 8: 1}[orientation])
    assert (found.width, found.height) == upright.shape[::-1]
    across, down = centre(row[0])
    left, top, right, bottom = found.box
    middle = (
        left + across / under.width * (right - left),
        top + down / under.height * (bottom - top),
    )
    assert middle == pytest.approx(centre(upright), abs=2)
