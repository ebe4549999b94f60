"""Videos: frames at the contract's rate, and what is refused."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from edge_common.contract import Input, VideoInput
from edge_common.errors import ItemError
from edge_common.messages import ReceiptStatus
from edge_transform.decoders.containers import ENDS
from edge_transform.prepare import prepare_rows
from edge_transform.tables import Block
from unit.transform.pictures import LUMA, drop, png
from unit.transform.rig import running

av = pytest.importorskip("av", reason="PyAV is an extra of edge-transform")

WANTED = VideoInput(kind="video", width=8, height=8, channels="L", mean=(0,), scale=(1,), rate=5, batch=4)
FPS, COUNT = 25, 50
STEP = 5
"""How much brighter each frame is than the one before."""
NEAR = 6
"""What compression may change."""

Write = Callable[..., bytes]


def write(name: str, codec: str, pixels: str = "yuv420p", options: Mapping[str, str] | None = None) -> bytes:
    """A video of two seconds that grows brighter."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        with av.open(str(path), "w", options=dict(options or {})) as video:
            stream: Any = video.add_stream(codec, rate=FPS)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            for number in range(COUNT):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), number * STEP, np.uint8), format="rgb24")
                video.mux(stream.encode(frame))
            video.mux(stream.encode())
        return path.read_bytes()


VIDEOS = {
    "h264.mp4": write("a.mp4", "libx264"),
    "index-first.mp4": write("a.mp4", "libx264", options={"movflags": "faststart"}),
    "fragments.mp4": write("a.mp4", "libx264", options={"movflags": "frag_keyframe+empty_moov"}),
    "mpeg4.avi": write("a.avi", "mpeg4"),
    "mjpeg.avi": write("a.avi", "mjpeg", "yuvj420p"),
    "vp9.mkv": write("a.mkv", "libvpx-vp9"),
    "vp9.webm": write("a.webm", "libvpx-vp9"),
}


def brightness(rows: Block) -> list[float]:
    return [float(row.mean()) for row in rows]


def code_of(content: bytes, wanted: Input = WANTED, max_pixels: int = 1 << 20) -> str:
    with pytest.raises(ItemError) as raised:
        prepare_rows(content, wanted, max_pixels)
    assert not raised.value.can_retry
    return raised.value.code


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("rate", [5, 1, 12.5, 0.4, 25, 1000])
def test_frames_come_at_the_rate(name: str, rate: float) -> None:
    rows = prepare_rows(VIDEOS[name], WANTED.model_copy(update={"rate": rate}))
    step = max(Fraction(FPS) / Fraction(rate), Fraction(1))
    expected = [-(-number * step // 1) * STEP for number in range(int((COUNT - 1) / step) + 1)]
    np.testing.assert_allclose(brightness(rows), [float(one) for one in expected], atol=NEAR)


@pytest.mark.parametrize("name", VIDEOS)
@pytest.mark.parametrize("part", [0.2, 0.5, 0.99])
def test_a_video_that_is_cut_short_is_rejected(name: str, part: float) -> None:
    content = VIDEOS[name]
    whole_boxes = name == "fragments.mp4" and part > 0.9
    assert whole_boxes or code_of(content[: int(len(content) * part)]) == "DECODE_FAILED"


def test_damage_is_rejected() -> None:
    content = bytearray(VIDEOS["h264.mp4"])
    middle = content.index(b"mdat") + 750
    content[middle : middle + 500] = bytes(byte ^ 0x5A for byte in content[middle : middle + 500])
    assert code_of(bytes(content)) == "DECODE_FAILED"


def test_pictures_are_no_videos_and_videos_no_pictures() -> None:
    assert code_of(png()) == "UNSUPPORTED"
    assert code_of(VIDEOS["vp9.mkv"], LUMA) == "UNSUPPORTED"
    assert code_of(b"") == "EMPTY"


def test_frames_have_no_more_pixels_than_pictures() -> None:
    assert len(prepare_rows(VIDEOS["h264.mp4"], WANTED, 64 * 48)) == 10
    assert code_of(VIDEOS["h264.mp4"], max_pixels=64 * 48 - 1) == "TOO_MANY_PIXELS"


@pytest.mark.parametrize("content", [b"\x1a\x45\xdf\xa3", b"\0\0\0\x18ftypisom", b"RIFF\0\0\0\0AVI "])
def test_a_head_alone_is_rejected(content: bytes) -> None:
    assert code_of(content) == "DECODE_FAILED"


def test_every_container_says_its_end() -> None:
    assert set(ENDS) == {"video/avi", "video/matroska", "video/mp4"}


async def test_a_video_becomes_batches_of_parts(tmp_path: Path) -> None:
    async with running(tmp_path) as rig:
        rig.announce(WANTED)
        item = drop(rig.share, VIDEOS["h264.mp4"], "a.mp4")
        rig.send(item)
        messages = await rig.batches(3)
        for message in messages:
            rig.confirm(message, ReceiptStatus.PART)
    parts = [part for message in messages for part in message.parts]
    assert [(part.item, part.part, part.last) for part in parts] == [
        (item, number, number == 9) for number in range(10)
    ]
    assert {(part.frames[0].width, part.frames[0].height) for part in parts} == {(64, 48)}
