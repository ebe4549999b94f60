"""Sounds as an example."""

from collections.abc import Sequence
from typing import Final

from edge_examples.drops import Drop
from edge_examples.example import Example
from edge_examples.sound import drops
from edge_examples.sound.training import train


def _drops(count: int) -> Sequence[Drop]:
    return [*drops.good(count), *drops.bad()]


SOUND: Final = Example(
    "sound", "recordings (WAV, FLAC)", 150, train, _drops, upstream="alert = 'true' AND label = 'siren'"
)
