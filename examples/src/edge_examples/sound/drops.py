"""Recordings as files of several kinds, rates and lengths, and a handful of bad files among them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from edge_examples.drops import Drop, Manner
from edge_examples.sound.data import RATES, SEED, recording
from edge_examples.sound.files import KINDS

SOUNDS: Final = (1, 4, 10, 40)
MANNERS: Final = (Manner.WRITTEN, Manner.RENAMED, Manner.RENAMED, Manner.SLOW)


def good(count: int) -> list[Drop]:
    """Recordings as files; kind, rate, length and manner are drawn at random, seeded."""
    draws = np.random.default_rng(SEED).integers(0, 1 << 30, (count, 4)).tolist()
    return [_recorded(number, *numbers) for number, numbers in enumerate(draws)]


def _recorded(number: int, kind: int, rate: int, length: int, manner: int) -> Drop:
    suffix, write = list(KINDS.items())[kind % len(KINDS)]
    made = recording(number, RATES[rate % len(RATES)], SOUNDS[length % len(SOUNDS)])
    path = f"microphone-{number % 3}/{number:04d}.{suffix}"
    return Drop(path, write(made), MANNERS[manner % len(MANNERS)], truth=made.labels)


def bad() -> Sequence[Drop]:
    """Files that must end in quarantine, each for its own reason."""
    made = recording(9000, 16_000, 4)
    wav, flac = KINDS["wav"](made), KINDS["flac"](made)
    return [
        Drop("bad/empty.wav", b"", code="EMPTY"),
        Drop("bad/slow.wav", KINDS["wav"](recording(9001, 4, 1)), code="UNSUPPORTED"),
        Drop("bad/silent.wav", wav[:4] + b"\xff" * 4 + wav[8:60], code="EMPTY"),
        Drop("bad/half.wav", wav[: len(wav) // 2], code="DECODE_FAILED"),
        Drop("bad/half.flac", flac[: len(flac) // 2], code="DECODE_FAILED"),
        Drop("bad/text.wav", b"This is no sound.\n", code="UNSUPPORTED"),
        Drop("bad/outside.wav", b"/etc/hostname", Manner.LINK, code="SYMLINK"),
    ]
