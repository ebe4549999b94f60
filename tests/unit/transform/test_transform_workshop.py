"""Preparing on all cores, while a decoder does not end, and while a suspect is among the others."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from prometheus_client import Histogram

from edge_common.contract import PictureInput
from edge_common.messages import Frame, Item
from edge_transform.backlog import Waiting
from edge_transform.errors import OverdueError
from edge_transform.prepare import prepare, prepare_into
from edge_transform.room import Room
from edge_transform.rows import Row
from edge_transform.workshop import Decoding, Workshop
from support.fragile import BOX, CRASH
from unit.transform.pictures import LUMA, drop, encode, noise, png

COMMENT = b"busy"


class Busy:
    """A decoder that is busy with a picture of a certain comment until it is let go."""

    def __init__(self) -> None:
        self.enough = Event()

    def __call__(self, content: bytes, wanted: PictureInput, pixels: Room, row: Row) -> Frame:
        while COMMENT in content and not self.enough.is_set():
            hashlib.sha256(content)
        return prepare_into(content, wanted, pixels, row)


@pytest.fixture
def busy() -> Iterator[Busy]:
    decoder = Busy()
    yield decoder
    decoder.enough.set()


def workshop(share: Path, decoding: Decoding) -> Workshop:
    made = Workshop(
        share, Histogram("seconds", "", registry=None), decoding, ThreadPoolExecutor(2), ThreadPoolExecutor(2)
    )
    made.set_limits(1 << 20, 1 << 20)
    return made


def waiting(item: Item, *, suspect: bool = False) -> Waiting:
    return Waiting(item, 0, 60, suspect)


async def test_a_decoder_that_does_not_end_is_given_up_and_the_others_go_on(tmp_path: Path, busy: Busy) -> None:
    bad = drop(tmp_path, encode(noise(8, 8), "JPEG", comment=COMMENT), "bad.jpg")
    good = [drop(tmp_path, png(seed), f"{seed}.png") for seed in range(8)]
    shop = workshop(tmp_path, Decoding(here=busy))
    prepared = await shop.prepare([waiting(item) for item in (bad, *good)], LUMA, 1)
    shop.close()
    [(item, error)] = prepared.failures
    assert (item, error.code, error.can_retry) == (bad, "DECODE_TIMEOUT", False)
    assert isinstance(error, OverdueError)
    assert prepared.items == good
    np.testing.assert_array_equal(prepared.rows, np.stack([prepare(png(seed), LUMA) for seed in range(8)]))


async def test_a_suspect_is_decoded_apart(tmp_path: Path) -> None:
    crashing = drop(tmp_path, encode(noise(8, 8), "JPEG", comment=CRASH), "bad.jpg")
    good = drop(tmp_path, png(), "good.png")
    shop = workshop(tmp_path, Decoding(apart=BOX))
    prepared = await shop.prepare([waiting(crashing, suspect=True), waiting(good, suspect=True)], LUMA, 10)
    shop.close()
    assert [(item, error.code) for item, error in prepared.failures] == [(crashing, "DECODER_CRASHED")]
    np.testing.assert_array_equal(prepared.rows, [prepare(png(), LUMA)])
