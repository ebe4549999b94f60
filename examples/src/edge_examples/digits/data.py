"""scikit-learn's bundled digits (UCI's optical recognition of handwritten digits), split once and for all."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED: Final = 20260101
HELD_OUT: Final = 0.4


@dataclass(frozen=True)
class Split:
    """Digits and what they are.

    Attributes:
        images: uint8, shape ``(n, 8, 8)``, 0 to 255.
        labels: int, shape ``(n,)``, 0 to 9.
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def load() -> tuple[Split, Split]:
    """The digits to train on, and those held out."""
    digits = load_digits()
    images = np.round(digits.images * (255 / 16)).astype(np.uint8)  # they come as 0 to 16
    labels = digits.target.astype(np.int64)
    train_x, held_x, train_y, held_y = train_test_split(
        images, labels, test_size=HELD_OUT, stratify=labels, random_state=SEED
    )
    return Split(train_x, train_y), Split(held_x, held_y)


def draw(digit: npt.NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    """A digit as a picture of some size, as a camera would deliver it.

    Args:
        digit: uint8, shape ``(8, 8)``.
        size: Width and height in pixels.
    """
    return Image.fromarray(digit, mode="L").resize(size, Image.Resampling.BICUBIC).convert("RGB")
