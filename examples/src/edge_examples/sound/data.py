"""Synthesised sound, half a second of one kind after the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

SEED: Final = 20260103
SECONDS: Final = 0.5
"""How long each sound lasts, and what the models look at at once."""
RATES: Final = (8000, 16_000, 44_100, 48_000)
"""Hz, of the recorders; the models are trained on all of them, since noise is not the same in each."""

Wave = npt.NDArray[np.float64]
Times = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """A recording, mono.

    Attributes:
        wave: Shape ``(values,)``, full scale -1 to 1.
        rate: Hz.
        labels: What sounds in each ``SECONDS``.
    """

    wave: Wave
    rate: int
    labels: tuple[str, ...]


def recording(number: int, rate: int, sounds: int) -> Recording:
    """So many sounds, drawn at random; the same number gives the same ones.

    Args:
        number: Which.
        rate: Hz.
        sounds: How many.
    """
    rng = np.random.default_rng([SEED, number])
    labels = rng.choice(list(SOUNDS), sounds).tolist()
    times = np.arange(round(SECONDS * rate)) / rate
    pieces = [_heard(SOUNDS[label](times, rng), rng) for label in labels]
    return Recording(np.concatenate(pieces), rate, tuple(labels))


def _heard(wave: Wave, rng: np.random.Generator) -> Wave:
    """Nearer or farther, in some noise; never clipped."""
    return np.clip(wave * rng.uniform(0.2, 0.6) + rng.normal(0, 0.01, len(wave)), -1, 1)


def _quiet(times: Times, _: np.random.Generator) -> Wave:
    return np.zeros_like(times)


def _hum(times: Times, rng: np.random.Generator) -> Wave:
    """A transformer: mains and its harmonics."""
    base = rng.choice([50, 60])
    return sum((_tone(times, base * harmonic) / harmonic for harmonic in (2, 4, 6)), np.zeros_like(times)) / 2


def _whistle(times: Times, rng: np.random.Generator) -> Wave:
    """A leak."""
    return _tone(times, rng.uniform(1500, 3000))


def _siren(times: Times, rng: np.random.Generator) -> Wave:
    """Rising from one pitch to its fourfold."""
    low = rng.uniform(150, 200)
    return np.sin(2 * np.pi * low * (times + 1.5 * times**2 / SECONDS))


def _knocks(times: Times, rng: np.random.Generator) -> Wave:
    """Something loose: ten decaying blows a second."""
    since = (times + rng.uniform(0, 0.1)) % 0.1
    return np.exp(-since / 0.01) * np.sin(2 * np.pi * rng.uniform(300, 500) * since)


def _tone(times: Times, hertz: float) -> Wave:
    wave: Wave = np.sin(2 * np.pi * hertz * times)
    return wave


SOUNDS: Final[Mapping[str, Callable[[Times, np.random.Generator], Wave]]] = {
    "quiet": _quiet,
    "hum": _hum,
    "whistle": _whistle,
    "siren": _siren,
    "knocks": _knocks,
}

LABELS: Final[Sequence[str]] = tuple(SOUNDS)
