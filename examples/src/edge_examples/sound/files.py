"""A recording as files of several kinds."""

from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from typing import Final

import numpy as np
import soundfile

from edge_examples.sound.data import Recording


def _written(made: Recording, kind: str, depth: str, channels: int) -> bytes:
    file = BytesIO()
    soundfile.write(file, np.stack([made.wave] * channels, axis=1), made.rate, format=kind, subtype=depth)
    return file.getvalue()


KINDS: Final[Mapping[str, Callable[[Recording], bytes]]] = {
    "wav": partial(_written, kind="WAV", depth="PCM_16", channels=1),
    "stereo.wav": partial(_written, kind="WAV", depth="PCM_16", channels=2),
    "flac": partial(_written, kind="FLAC", depth="PCM_24", channels=1),
}
"""By the end of a file's name, what writes one."""
