"""The transform module, as a program, with decoders that certain words in a file bring down."""

import os
import signal
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from edge_common.contract import Input, PictureInput
from edge_common.lifecycle import run_module
from edge_common.messages import Frame, Item
from edge_transform import box
from edge_transform.__main__ import wire
from edge_transform.prepare import prepare_into
from edge_transform.prepare.samples import Samples
from edge_transform.reader import read_samples
from edge_transform.room import Room
from edge_transform.rows import Row
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_transform.workshop import Decoding

CRASH, HANG = b"this crashes the decoder", b"this hangs the decoder"
BOX = (sys.executable, str(Path(__file__).resolve()), "box")


def prepare(content: bytes, wanted: PictureInput, pixels: Room, row: Row) -> Frame:
    """Prepare a file, unless it says what is to happen instead."""
    obey(content)
    return prepare_into(content, wanted, pixels, row)


def read(share: Path, item: Item, wanted: Input, pixels: Room) -> Iterator[tuple[Samples, bool]]:
    """Read a file of many samples, likewise."""
    obey((share / item.path).read_bytes())
    yield from read_samples(share, item, wanted, pixels)


def obey(content: bytes) -> None:
    """Crash or hang, if the content says so."""
    if CRASH in content:
        os.kill(os.getpid(), signal.SIGSEGV)
    while HANG in content:
        pass


if __name__ == "__main__":
    if "box" in sys.argv:
        box.main(prepare, read)
    else:
        decoding = Decoding(prepare, read, BOX)
        run_module("transform", TransformEnvironment, TransformSettings, partial(wire, decoding=decoding))
