"""One file in a process of its own."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from corpus import CASES
from edge_common.contract import Input
from edge_common.errors import ItemError
from edge_common.messages import Item
from edge_transform.apart import COMMAND, Apart
from edge_transform.box import RowsTask, Task
from edge_transform.prepare import prepare
from edge_transform.prepare.samples import Samples
from edge_transform.reader import read_samples
from edge_transform.room import Room
from support import tables
from support.fragile import BOX, CRASH, HANG
from unit.transform.pictures import COLOUR, LUMA, PIXELS, drop, encode, noise, png

TABLE = tables.contract().input
TASK = Task(wanted=COLOUR, max_pixels=1000, seconds=1)


def in_box(content: bytes, command: tuple[str, ...] = COMMAND) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    row = np.empty(COLOUR.sample_shape, np.float32)
    apart = Apart(command)
    try:
        apart.prepare(content, TASK, row)
    finally:
        apart.rest()
    return row


def rejected(content: bytes, command: tuple[str, ...] = COMMAND) -> ItemError:
    with pytest.raises(ItemError) as raised:
        in_box(content, command)
    return raised.value


def test_a_file_is_prepared_as_everywhere() -> None:
    np.testing.assert_array_equal(in_box(png()), prepare(png(), COLOUR))


def test_pixels_stay_as_they_are_there_too() -> None:
    row, apart = np.zeros(PIXELS.sample_shape, np.uint8), Apart()
    apart.prepare(png(), Task(wanted=PIXELS, max_pixels=1000, seconds=9), row)
    apart.rest()
    np.testing.assert_array_equal(row, prepare(png(), PIXELS))


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


def test_a_process_that_is_killed_blames_no_file() -> None:
    error = rejected(png(), (sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"))
    assert (error.code, error.can_retry) == ("NO_MEMORY", True)


WORN = """
import os, sys
from edge_transform import box
from edge_transform.prepare import prepare_into

print(os.getpid(), file=open(sys.argv[1], "a"))
done = []

def prepare(content, *rest):
    done.append(content) if len(done) < 2 else os.abort()
    return prepare_into(content, *rest)

box.main(prepare)
"""
"""A process that its third picture brings down, whatever it is; each process adds a line to a file."""


def test_pictures_share_a_process_and_its_end_condemns_nobody_but_the_first(tmp_path: Path) -> None:
    apart = Apart((sys.executable, "-c", WORN, str(tmp_path / "processes")))
    row = np.empty(COLOUR.sample_shape, np.float32)
    for seed in range(5):
        apart.prepare(png(seed), TASK, row)
        np.testing.assert_array_equal(row, prepare(png(seed), COLOUR))
    with pytest.raises(ItemError, match="this is"):
        apart.prepare(b"text", TASK, row)
    apart.rest()
    processes = (tmp_path / "processes").read_text().split()
    assert len(processes) == 3
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(int(process), 0)


@pytest.mark.parametrize("said", ["", '{"shape": [1]', '{"shape": [2, 3, 4]}\n1234'])
def test_half_an_answer_is_none(said: str) -> None:
    error = rejected(png(), (sys.executable, "-c", f"print({said!r}, end='')"))
    assert (error.code, str(error)) == ("DECODER_CRASHED", "decoding it ends its process (status 0)")


def task(share: Path, item: Item, wanted: Input = TABLE, seconds: int = 1) -> RowsTask:
    return RowsTask(wanted=wanted, share=share, item=item, max_pixels=1 << 20, seconds=seconds)


def blocks(share: Path, item: Item, command: tuple[str, ...] = COMMAND) -> list[tuple[Samples, bool]]:
    return [*Apart(command).samples(task(share, item))]


def test_a_table_is_read_as_everywhere(tmp_path: Path) -> None:
    item = drop(tmp_path, tables.csv(tables.loads(250)), "loads.csv")
    apart, here = blocks(tmp_path, item), [*read_samples(tmp_path, item, TABLE, Room(0))]
    assert [(len(block.rows), last) for block, last in apart] == [(100, False), (100, False), (50, True)]
    for (block, _), (like, _) in zip(apart, here, strict=True):
        np.testing.assert_array_equal(block.rows, like.rows)


def test_pages_are_read_as_everywhere(tmp_path: Path) -> None:
    [pages] = [case.build() for case in CASES if case.name == "pictures/pages.tiff"]
    item = drop(tmp_path, pages, "scan.tiff")
    [(apart, last)] = Apart().samples(task(tmp_path, item, LUMA))
    [(here, _)] = read_samples(tmp_path, item, LUMA, Room(1 << 20))
    np.testing.assert_array_equal(apart.rows, here.rows)
    assert (len(apart.frames), apart.frames, last) == (3, here.frames, True)


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "EMPTY"), (b"hour,note\n1,x\n", "WRONG_COLUMNS"), (b"load,state\nx,idle\n", "DECODE_FAILED")],
)
def test_a_table_is_rejected_as_everywhere(tmp_path: Path, content: bytes, code: str) -> None:
    item = drop(tmp_path, content, "bad.csv")
    with pytest.raises(ItemError) as raised:
        blocks(tmp_path, item)
    assert raised.value.code == code


@pytest.mark.parametrize(("word", "code"), [(CRASH, "DECODER_CRASHED"), (HANG, "DECODE_TIMEOUT")])
def test_a_table_that_brings_its_process_down_is_a_verdict(tmp_path: Path, word: bytes, code: str) -> None:
    item = drop(tmp_path, b"load,state,note\n1,idle," + word + b"\n", "bad.csv")
    with pytest.raises(ItemError) as raised:
        blocks(tmp_path, item, BOX)
    assert (raised.value.code, raised.value.can_retry) == (code, False)


def test_who_wants_no_more_leaves_no_process(tmp_path: Path) -> None:
    item = drop(tmp_path, tables.csv(tables.loads(100_000)), "loads.csv")
    command = ("sh", "-c", f"echo $$ > {tmp_path}/process; exec {' '.join(COMMAND)}")
    samples = Apart(command).samples(task(tmp_path, item, seconds=10))
    next(samples)
    process = int((tmp_path / "process").read_text())
    os.kill(process, 0)
    samples.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
