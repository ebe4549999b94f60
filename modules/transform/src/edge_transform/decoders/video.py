"""Videos, by FFmpeg through PyAV, which only devices that look at videos have."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import BinaryIO, Final

import av
from av.video.frame import VideoFrame
from PIL.Image import Image, Transpose, fromarray

from edge_common.contract import PictureInput, VideoInput
from edge_common.errors import ItemError
from edge_transform.decoders.containers import is_whole
from edge_transform.room import Room

FORMATS: Final = {"video/avi": "avi", "video/matroska": "matroska", "video/mp4": "mp4"}
"""FFmpeg's names, so that it does not guess: some of its formats are lists of other files to open."""

HELD: Final = 8
"""A decoder keeps up to 16 frames of 1.5 bytes a pixel besides the one at hand: as much as so many pictures' pixels."""

TURNS: Final = {90: Transpose.ROTATE_90, 180: Transpose.ROTATE_180, 270: Transpose.ROTATE_270}
"""What sets a frame upright, by the degrees, counter-clockwise, that the container says."""


def decode(content_type: str, file: BinaryIO, wanted: PictureInput, pixels: Room) -> Generator[Image, None, None]:
    """The frames at the contract's rate, upright.

    Args:
        content_type: What the file is.
        file: The file.
        wanted: A :class:`VideoInput`.
        pixels: What the decoder takes until the iteration ends; a frame with more than all of it has too many.

    Raises:
        ItemError: ``TOO_MANY_PIXELS``; ``UNSUPPORTED`` where there is only sound; or ``DECODE_FAILED`` where it is cut
            short.
        Exception: Whatever FFmpeg makes of malformed data.
    """
    if not isinstance(wanted, VideoInput):
        raise TypeError(f"{wanted.kind} input names no rate")
    if not is_whole(content_type, file):
        raise ItemError("DECODE_FAILED", "this video is cut short")
    file.seek(0)
    with _told_as_verdict(), av.open(file, "r", format=FORMATS[content_type], metadata_errors="replace") as video:
        if not video.streams.video:
            raise ItemError("UNSUPPORTED", "there is no picture in this video")
        coding = video.streams.video[0].codec_context
        coding.thread_count = 1  # the time that a file takes is measured in its thread
        coding.options = {"max_pixels": str(pixels.most), "err_detect": "explode"}
        _check_size(coding.width, coding.height, pixels.most)
        with pixels.taken(HELD * coding.width * coding.height):
            for frame in _due(video.decode(video=0), Fraction(wanted.rate)):
                _check_size(frame.width, frame.height, pixels.most)
                picture = fromarray(frame.to_ndarray(format="rgb24"))
                turn = TURNS.get(frame.rotation % 360)
                yield picture if turn is None else picture.transpose(turn)


@contextmanager
def _told_as_verdict() -> Iterator[None]:
    """FFmpeg's errors are of Python's classes, too, but none of them is the share's."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, MemoryError):
            raise
        raise ItemError("DECODE_FAILED", f"it cannot be decoded ({error.strerror})") from error


def _due(frames: Iterator[VideoFrame], rate: Fraction) -> Iterator[VideoFrame]:
    """The first frame at or after each tick."""
    begin: Fraction | None = None
    tick = 0
    for frame in frames:
        if frame.pts is None or frame.time_base is None:
            raise ItemError("DECODE_FAILED", "its frames have no times")
        at = frame.pts * frame.time_base
        begin = at if begin is None else begin
        if (at - begin) * rate >= tick:
            yield frame
            tick = int((at - begin) * rate) + 1


def _check_size(width: int, height: int, most: int) -> None:
    if width * height > most:
        raise ItemError("TOO_MANY_PIXELS", f"{width} x {height} pixels are more than maxPixels, {most}")
