"""The transform module with one more decoder, which crashes the process: as one of native code may do."""

import os
import signal
from collections.abc import Iterator
from typing import cast

from PIL.Image import Image

from edge_common.contract import ImageInput
from edge_transform.__main__ import main
from edge_transform.decoders import DECODERS, Decoder


def _crash(_content: bytes, _wanted: ImageInput, _max_pixels: int) -> Iterator[Image]:
    os.kill(os.getpid(), signal.SIGSEGV)
    yield from ()


if __name__ == "__main__":
    cast("dict[str, Decoder]", DECODERS)["application/pdf"] = _crash
    main()
