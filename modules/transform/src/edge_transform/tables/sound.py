"""WAV (also RF64) and FLAC, by libsndfile; resampled by the SoX Resampler library."""

import os
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import numpy as np
import numpy.typing as npt
from soundfile import SoundFile
from soxr import ResampleStream

from edge_common.contract import AudioInput
from edge_common.errors import ItemError
from edge_transform.tables.cutting import windows
from edge_transform.tables.finite import finite

Block = npt.NDArray[np.float32]

BLOCK: Final = 1 << 16
"""Values in hand at once, of all channels, before resampling and after."""

MOST_RATIO: Final = 256
"""Between the rate of a file and the model's: a small file must not become hours of sound."""

HEAD: Final = 28
UNCOUNTED: Final = 8
"""Bytes before what the size in the head counts."""

STREAMED: Final = frozenset({0, (1 << 32) - 1})
"""What stands for the size in a WAV file whose writer did not know it."""


def read(file: BinaryIO, wanted: AudioInput) -> Iterator[Block]:
    """A file's frames; see :func:`edge_transform.tables.samples`."""
    _see_the_whole(file)
    with SoundFile(file) as sound:
        rate = sound.samplerate
        if not 1 / MOST_RATIO <= wanted.rate / rate <= MOST_RATIO:
            raise ItemError("UNSUPPORTED", f"it has {rate} Hz, too far from the {wanted.rate} Hz that the model takes")
        mixed = _mixed(sound, max(1, BLOCK * min(rate, wanted.rate) // wanted.rate // sound.channels))
        values = mixed if rate == wanted.rate else _resampled(mixed, rate, wanted.rate)
        for frames in windows((block[:, None] for block in values), wanted.frame, wanted.step):
            yield frames[..., 0]


def _mixed(sound: SoundFile, most: int) -> Iterator[Block]:
    """The mean of all channels, at most so many values at once."""
    left = sound.frames
    while len(block := sound.read(most, dtype="float32", always_2d=True)):
        left -= len(block)
        yield finite(block.mean(axis=1))
    if left > 0:
        raise _cut_short()


def _resampled(blocks: Iterable[Block], rate: int, wanted: int) -> Iterator[Block]:
    stream = ResampleStream(rate, wanted, 1)
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.empty(0, np.float32), last=True)


def _see_the_whole(file: BinaryIO) -> None:
    """Libsndfile takes half a WAV file for a short one; the size in its head tells (a pad byte may be missing)."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    told = _told(file.read(HEAD))
    file.seek(0)
    if told not in STREAMED and told + UNCOUNTED > size + 1:
        raise _cut_short()


def _told(head: bytes) -> int:
    """The size that a WAV file has by its head, 0 for what is none (RF64: EBU Tech 3306)."""
    if head.startswith(b"RIFF"):
        return int.from_bytes(head[4:8], "little")
    return int.from_bytes(head[20:28], "little") if head[:4] + head[12:16] == b"RF64ds64" else 0


def _cut_short() -> ItemError:
    return ItemError("DECODE_FAILED", "it is cut short")
