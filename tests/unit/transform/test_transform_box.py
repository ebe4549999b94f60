"""One file in a process of its own."""

import sys

import numpy as np
import pytest

from edge_common.errors import ItemError
from edge_transform.box import COMMAND, Task, prepare_in_box
from edge_transform.prepare import prepare
from support.fragile import BOX, CRASH, HANG
from unit.transform.pictures import COLOUR, encode, noise, png

TASK = Task(wanted=COLOUR, max_pixels=1000, seconds=1)


def in_box(content: bytes, command: tuple[str, ...] = COMMAND) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    row = np.empty(COLOUR.sample_shape, np.float32)
    prepare_in_box(content, TASK, row, command)
    return row


def rejected(content: bytes, command: tuple[str, ...] = COMMAND) -> ItemError:
    with pytest.raises(ItemError) as raised:
        in_box(content, command)
    return raised.value


def test_a_file_is_prepared_as_everywhere() -> None:
    np.testing.assert_array_equal(in_box(png()), prepare(png(), COLOUR))


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "EMPTY"), (b"text", "UNSUPPORTED"), (png()[:60], "DECODE_FAILED"), (png(size=99), "TOO_MANY_PIXELS")],
)
def test_a_file_is_rejected_as_everywhere(content: bytes, code: str) -> None:
    assert rejected(content).code == code


@pytest.mark.parametrize(("comment", "code"), [(CRASH, "DECODER_CRASHED"), (HANG, "DECODE_TIMEOUT")])
def test_a_process_that_is_brought_down_is_a_verdict(comment: bytes, code: str) -> None:
    error = rejected(encode(noise(8, 8), "JPEG", comment=comment), BOX)
    assert (error.code, error.can_retry) == (code, False)


def test_how_it_ended_is_said() -> None:
    assert "SIGSEGV" in str(rejected(encode(noise(8, 8), "JPEG", comment=CRASH), BOX))
    assert "status 3" in str(rejected(png(), (sys.executable, "-c", "raise SystemExit(3)")))


def test_a_process_that_cannot_start_blames_no_file() -> None:
    error = rejected(png(), ("/no/such/program",))
    assert (error.code, error.can_retry) == ("NO_MEMORY", True)
