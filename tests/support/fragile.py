"""The transform module, as a program, with a decoder that certain comments in a picture bring down."""

import os
import signal
import sys
from functools import partial
from pathlib import Path

from edge_common.contract import PictureInput
from edge_common.lifecycle import run_module
from edge_common.messages import Frame
from edge_transform import box
from edge_transform.__main__ import wire
from edge_transform.box import Row
from edge_transform.prepare import prepare_into
from edge_transform.room import Room
from edge_transform.settings import TransformEnvironment, TransformSettings
from edge_transform.workshop import Decoding

CRASH, HANG = b"this crashes the decoder", b"this hangs the decoder"
BOX = (sys.executable, str(Path(__file__).resolve()), "box")


def prepare(content: bytes, wanted: PictureInput, pixels: Room, row: Row) -> Frame:
    """Prepare a file, unless it says what is to happen instead."""
    if CRASH in content:
        os.kill(os.getpid(), signal.SIGSEGV)
    while HANG in content:
        pass
    return prepare_into(content, wanted, pixels, row)


if __name__ == "__main__":
    if "box" in sys.argv:
        box.main(prepare)
    else:
        run_module("transform", TransformEnvironment, TransformSettings, partial(wire, decoding=Decoding(prepare, BOX)))
