"""From a file's bytes to its picture: every format, every orientation, and what is refused."""

import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.decoders import MODULES, decode
from edge_transform.decoders.jpeg import count_scans
from edge_transform.prepare import prepare, prepare_into
from edge_transform.room import Room
from unit.transform.pictures import COLOUR, LUMA, Pixels, encode, noise

EXACT = {"PNG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}
ORIENTATION = 274
MOST = 1_000_000

UPRIGHT: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda stored: stored,
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}
"""What EXIF says of where a stored picture's first row and column are to be seen."""


def decoded(content: bytes, wanted: ImageInput = COLOUR) -> Image.Image:
    (picture,) = decode(BytesIO(content), wanted, Room(MOST))
    return picture


def code_of(content: bytes, wanted: ImageInput = LUMA, max_pixels: int = MOST) -> str:
    with pytest.raises(ItemError) as raised:
        prepare(content, wanted, max_pixels)
    assert not raised.value.can_retry
    return raised.value.code


def oriented(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION] = value
    return exif


def smooth(height: int, width: int) -> Pixels:
    """A picture that JPEG changes little, unlike in all its corners."""
    down, right = np.mgrid[0:height, 0:width]
    return np.stack([down * 255 // height, right * 255 // width, (down + right) * 100 // width], -1).astype(np.uint8)


def bomb_png(side: int) -> bytes:
    """A whole PNG of one bit a pixel, all black, which is a thousandth of its pixels in size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((side + 7) // 8 + 1) * side)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", EXACT)
@pytest.mark.parametrize("depth", [(), (3,)])
def test_lossless_formats_give_the_pixels_that_were_stored(kind: str, depth: tuple[int, ...]) -> None:
    pixels = noise(9, 13, *depth)
    picture = decoded(encode(pixels, kind, **EXACT[kind])).convert("RGB" if depth else "L")
    np.testing.assert_array_equal(np.asarray(picture), pixels)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 2}], ids=str)
def test_jpeg_gives_nearly_the_pixels_that_were_stored(options: dict[str, int]) -> None:
    pixels = smooth(48, 64)
    picture = decoded(encode(pixels, "JPEG", quality=95, **options))
    assert np.abs(np.asarray(picture).astype(int) - pixels).mean() < 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("value", UPRIGHT)
@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_every_orientation_is_set_upright(kind: str, value: int, mode: str) -> None:
    pixels = smooth(32, 48)
    content = encode(pixels, kind, exif=oriented(value), **EXACT.get(kind, {"quality": 95}))
    picture = decoded(content, COLOUR.model_copy(update={"decode": mode, "width": 48, "height": 32}))
    expected = UPRIGHT[value](pixels)
    assert picture.size == (expected.shape[1], expected.shape[0])
    assert np.abs(np.asarray(picture).astype(int) - expected).mean() < (2 if kind == "JPEG" else 0.1)


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(value: int) -> None:
    pixels = noise(4, 6)
    np.testing.assert_array_equal(np.asarray(decoded(encode(pixels, "PNG", exif=oriented(value)))), pixels)


def test_a_damaged_exif_block_spoils_no_picture() -> None:
    pixels = noise(4, 6)
    content = encode(pixels, "PNG", exif=b"Exif\0\0no directory of tags")
    np.testing.assert_array_equal(np.asarray(decoded(content)), pixels)


@pytest.mark.parametrize(("side", "reduced"), [(800, 100), (64, 16), (31, 16), (15, 15)])
def test_fast_decodes_jpeg_at_the_smallest_scale_that_is_large_enough(side: int, reduced: int) -> None:
    fast = COLOUR.model_copy(update={"decode": "fast", "width": 10, "height": 10})
    assert decoded(encode(smooth(side, side), "JPEG"), fast).size == (reduced, reduced)


def test_fast_swaps_the_wanted_size_for_a_picture_on_its_side() -> None:
    fast = COLOUR.model_copy(update={"decode": "fast", "width": 16, "height": 64})
    content = encode(smooth(32, 128), "JPEG", exif=oriented(6))
    assert decoded(content, fast).size == (16, 64)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("resize", ["stretch", "crop", "letterbox"])
def test_fast_changes_pixels_only_a_little(mode: str, resize: str) -> None:
    depth = len(mode)
    exact = ImageInput(width=24, height=24, channels=mode, resize=resize, mean=(0,) * depth, scale=(1,) * depth)
    content = encode(smooth(300, 400), "JPEG", quality=95)
    change = prepare(content, exact.model_copy(update={"decode": "fast"})) - prepare(content, exact)
    assert np.abs(change).mean() < 2


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits", "group4"])
def test_tiff_in_its_compressions(compression: str) -> None:
    picture = Image.fromarray(noise(16, 16))
    stored = picture.convert("1") if compression == "group4" else picture
    content = encode(stored, "TIFF", compression=compression)
    np.testing.assert_array_equal(np.asarray(decoded(content)), np.asarray(stored))


@pytest.mark.parametrize(
    ("found", "content"),
    [
        ("text/plain", b"no picture at all, whatever its name"),
        ("text/plain", "größer".encode()),
        ("image/jp2", encode(noise(8, 8), "JPEG2000")),
        ("application/pdf", b"%PDF-1.7\n\xff\0"),
        ("application/zip", b"PK\x03\x04\0\0"),
        ("image/heif", b"\0\0\0\x18ftypheic\0\0"),
        ("video/mp4", b"\0\0\0\x18ftypisom\0\0"),
        ("application/octet-stream", bytes(range(100))),
        ("application/octet-stream", b"\x89PNG\r\n\x00"),
    ],
)
def test_what_has_no_decoder_is_named(found: str, content: bytes) -> None:
    with pytest.raises(ItemError, match=f"this is {found};") as raised:
        prepare(content, LUMA)
    assert (raised.value.code, raised.value.can_retry) == ("UNSUPPORTED", False)


def test_every_decoder_has_a_signature_that_leads_to_it() -> None:
    kinds = {"JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"}
    assert {f"image/{kind.lower()}" for kind in kinds} == set(MODULES["image"])
    for kind in kinds:
        assert decoded(encode(noise(8, 8), kind)).size == (8, 8)


def test_an_empty_file_is_rejected_as_empty() -> None:
    assert code_of(b"") == "EMPTY"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.95])
@pytest.mark.filterwarnings("ignore")
def test_a_truncated_file_is_rejected(kind: str, part: float) -> None:
    content = encode(noise(64, 64, 3), kind)
    assert code_of(content[: max(16, int(len(content) * part))]) == "DECODE_FAILED"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
@pytest.mark.filterwarnings("ignore")
def test_damage_anywhere_is_an_item_error_or_a_picture(kind: str) -> None:
    """Nothing else escapes, whichever byte is wrong."""
    content = encode(noise(16, 16, 3), kind)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 3):
            damaged[place] = random.integers(0, 256)
        with suppress(ItemError):
            assert prepare(bytes(damaged), LUMA, MOST).shape == LUMA.sample_shape


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF", "WEBP", "GIF"])
def test_the_most_pixels_are_taken_and_one_more_is_not(kind: str) -> None:
    content = encode(noise(20, 30), kind)
    assert prepare(content, LUMA, 600).shape == (1, 8, 8)
    assert code_of(content, max_pixels=599) == "TOO_MANY_PIXELS"


class Recorded(Room):
    """Room that writes down what is taken."""

    def __init__(self) -> None:
        super().__init__(MOST)
        self.amounts: list[int] = []

    @contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        self.amounts.append(amount)
        with super().taken(amount):
            yield


@pytest.mark.parametrize(("mode", "pixels"), [("exact", 64 * 96), ("fast", 16 * 24)])
def test_a_picture_takes_room_for_the_pixels_that_are_decoded(mode: str, pixels: int) -> None:
    room, wanted = Recorded(), LUMA.model_copy(update={"decode": mode, "width": 16, "height": 16})
    prepare_into(encode(noise(64, 96), "JPEG"), wanted, room, np.empty(wanted.sample_shape, np.float32))
    assert room.amounts == [pixels]


def test_a_bomb_is_rejected_without_the_memory_that_it_asks_for() -> None:
    script = """
import resource, sys
from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.prepare import prepare, prepare_into
from edge_transform.room import Room

used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 32 * 2**20,) * 2)
try:
    prepare(sys.stdin.buffer.read(), ImageInput(width=8, height=8, channels="L", mean=(0,), scale=(1,)))
except ItemError as error:
    print(error.code)
"""
    content = bomb_png(30_000)
    assert len(content) < 200_000
    run = subprocess.run([sys.executable, "-c", script], input=content, capture_output=True, check=True)
    assert run.stdout == b"TOO_MANY_PIXELS\n"


def test_a_header_that_lies_about_its_size_is_rejected() -> None:
    content = encode(noise(8, 8), "PNG")
    header = struct.pack(">II", 2**31 - 1, 2**31 - 1) + content[24:29]
    lying = content[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + content[33:]
    assert code_of(lying) == "TOO_MANY_PIXELS"


def test_a_webp_of_the_largest_canvas_is_rejected() -> None:
    content = bytearray(encode(Image.fromarray(noise(8, 8, 4)), "WEBP", exif=oriented(1)))
    assert content[12:16] == b"VP8X"
    content[24:30] = b"\xfe\x3f\0" * 2
    assert code_of(bytes(content)) == "TOO_MANY_PIXELS"


def test_a_jpeg_of_too_many_scans_is_rejected_before_it_costs_hours() -> None:
    content = encode(smooth(64, 64), "JPEG", progressive=True)
    start = content.rindex(b"\xff\xda")
    bomb = content[:start] + content[start:-2] * 200 + content[-2:]
    with pytest.raises(ItemError, match=f"has {count_scans(content) + 199} scans") as raised:
        prepare(bomb, LUMA)
    assert raised.value.code == "DECODE_FAILED"


@pytest.mark.parametrize(("options", "scans"), [({}, 1), ({"progressive": True}, 10)])
def test_only_the_scans_of_the_picture_itself_count(options: dict[str, bool], scans: int) -> None:
    preview = encode(smooth(8, 8), "JPEG") * 60
    content = encode(smooth(64, 64), "JPEG", comment=preview, **options) + preview
    assert count_scans(content) == scans
    assert prepare(content, LUMA).shape == LUMA.sample_shape


def test_scans_of_a_torn_file_are_counted_to_its_end() -> None:
    content = encode(smooth(64, 64), "JPEG", progressive=True)
    assert [count_scans(content[:length]) for length in (0, 2, 3, 4)] == [0] * 4
    assert 0 < count_scans(content[: len(content) // 2]) < 10
