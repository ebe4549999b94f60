"""Digits as a camera takes them: light on dark at first; later, by somebody's mistake, most are inverted."""

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import ImageOps

from edge_examples.digits.data import draw, load
from edge_examples.drops import Drop

SIZE: Final = (32, 32)
FIRST: Final = 300
"""Pictures from before that, of which the first model is made."""
NOTICED: Final = 80
"""Pictures from after it, by which the device sees that its input drifts."""
HARD: Final = 280
"""And those that come while it says so."""
HELD_OUT: Final = 150
"""Pictures that nobody trains on; as many stay for traffic while a model bakes."""
STILL: Final = 5
"""Later, one picture in so many is as at first."""


class Pictures(NamedTuple):
    """The files of the story, in its order.

    Attributes:
        first: As at first.
        noticed: Most are inverted.
        hard: Likewise, later.
        held_out: Of either kind in turn; for judging alone.
        traffic: As those of later; what comes while models are changed.
    """

    first: Sequence[Drop]
    noticed: Sequence[Drop]
    hard: Sequence[Drop]
    held_out: Sequence[Drop]
    traffic: Sequence[Drop]


def pictures() -> Pictures:
    """All files."""
    known, held_out = load()
    taken = [*zip(known.images, known.labels.tolist(), strict=True)]
    kept = [*zip(held_out.images, held_out.labels.tolist(), strict=True)]
    later = [_file(f"line/{n}", *one, inverted=n % STILL > 0) for n, one in enumerate(taken[FIRST:], start=FIRST)]
    judged = [_file(f"{n}", *one, inverted=n % 2 > 0) for n, one in enumerate(kept[:HELD_OUT])]
    traffic = [_file(f"{n}", *one, inverted=n % STILL > 0) for n, one in enumerate(kept[HELD_OUT:])]
    return Pictures(
        first=[_file(f"line/{n}", *one, inverted=False) for n, one in enumerate(taken[:FIRST])],
        noticed=later[:NOTICED],
        hard=later[NOTICED : NOTICED + HARD],
        held_out=judged,
        traffic=traffic,
    )


def truth(drops: Iterable[Drop]) -> Mapping[str, str]:
    """What is on pictures, by the SHA-256 of their bytes, in hex."""
    return {hashlib.sha256(drop.content).hexdigest(): drop.truth[0] for drop in drops}


def _file(name: str, digit: npt.NDArray[np.uint8], label: int, *, inverted: bool) -> Drop:
    picture = draw(digit, SIZE)
    file = io.BytesIO()
    (ImageOps.invert(picture) if inverted else picture).save(file, "PNG")
    return Drop(f"{name}.png", file.getvalue(), truth=(str(label),))
