"""Pictures and items for the transform module's tests."""

import hashlib
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from edge_common.contract import ImageInput
from edge_common.messages import Item

Pixels = npt.NDArray[np.uint8]

LUMA = ImageInput(width=8, height=8, channels="L", mean=(0,), scale=(1,), batch=4)
PIXELS = ImageInput(width=16, height=12, mean=(0, 0, 0), scale=(1, 1, 1), dtype="uint8", batch=4)
COLOUR = ImageInput(width=16, height=12, mean=(1, 2, 3), scale=(1, 0.5, 0.25), batch=4)


def noise(height: int, width: int, *depth: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, *depth), dtype=np.uint8)


def encode(picture: Image.Image | Pixels, kind: str, **options: Any) -> bytes:
    """A picture as a file of that format of Pillow's."""
    buffer = BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(buffer, kind, **options)
    return buffer.getvalue()


def png(seed: int = 0, size: int = 16) -> bytes:
    return encode(noise(size, size, seed=seed), "PNG")


def item_of(content: bytes, path: str = "picture.png", attempt: int = 1) -> Item:
    """The item that ingest would make of a file."""
    return Item(
        id=hashlib.sha256(path.encode() + content).hexdigest()[:32],
        path=path,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        captured=datetime(2026, 1, 1, tzinfo=UTC),
        date=date(2026, 1, 1),
        attempt=attempt,
    )


def drop(share: Path, content: bytes, path: str = "picture.png") -> Item:
    """Write a file into a share and say what ingest would of it."""
    file = share / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return item_of(content, path)
