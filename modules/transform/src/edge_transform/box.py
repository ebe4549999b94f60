"""A process for files that are suspected of bringing their decoder down; :mod:`edge_transform.apart` starts it.

It is given a line of JSON that says what is to be done, a line with the size of what follows, and that: a picture. A
file of many samples is read on the share. Each block of rows is answered with a line of JSON (:class:`Answer`) and its
numbers.
"""

import math
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from pydantic import BaseModel, Field, TypeAdapter

from edge_common.contract import ImageInput, Input, PictureInput
from edge_common.errors import ItemError
from edge_common.expendable import be_expendable
from edge_common.messages import Frame, Item
from edge_transform.errors import no_memory
from edge_transform.prepare import prepare_into
from edge_transform.prepare.samples import Samples
from edge_transform.reader import read_samples
from edge_transform.room import Room
from edge_transform.rows import Row

Preparer = Callable[[bytes, PictureInput, Room, Row], Frame]
"""Prepares a file's sample, within room for pixels, into a row, and says where it lies in its picture.

See :func:`edge_transform.prepare.prepare_into`.
"""
Reader = Callable[[Path, Item, Input, Room], Iterator[tuple[Samples, bool]]]
"""Reads a file of many samples; see :func:`edge_transform.reader.read_samples`."""


class Task(BaseModel):
    """A picture that is to be prepared.

    Attributes:
        wanted: The contract's input half.
        max_pixels: The most that it may have.
        seconds: The most CPU time that it may take.
    """

    wanted: ImageInput
    max_pixels: int
    seconds: Annotated[int, Field(ge=1)]


class RowsTask(BaseModel):
    """A file of many samples that is to be read.

    Attributes:
        wanted: The contract's input half.
        share: The share's root, resolved.
        item: Which file.
        max_pixels: The most that a picture in it may have.
        seconds: The most CPU time that each block may take.
    """

    wanted: Input
    share: Path
    item: Item
    max_pixels: int
    seconds: Annotated[int, Field(ge=1)]


class Answer(BaseModel):
    """A block of rows, or why there is none.

    Attributes:
        shape: Of the numbers that follow, of the dtype that the contract says.
        last: Whether no other block follows.
        frames: Where each sample lies in its picture.
        code: As an :class:`ItemError` has it; empty if nothing is wrong.
        message: Likewise.
        can_retry: Likewise.
    """

    shape: tuple[int, ...] = (0,)
    last: bool = True
    frames: tuple[Frame, ...] = ()
    code: str = ""
    message: str = ""
    can_retry: bool = False

    def check(self) -> None:
        """Raises the error, if it is one."""
        if self.code:
            raise ItemError(self.code, self.message, can_retry=self.can_retry)


Answers = Iterator[tuple[Answer, Row]]
TASK: Final[TypeAdapter[Task | RowsTask]] = TypeAdapter(Task | RowsTask)


def main(prepare: Preparer = prepare_into, read: Reader = read_samples) -> None:
    """Be the process, until nobody wants anything any more."""
    be_expendable()
    asked = sys.stdin.buffer
    while line := asked.readline():
        task = TASK.validate_json(line)
        content = asked.read(int(asked.readline()))
        _do(task.seconds, _picture(task, content, prepare) if isinstance(task, Task) else _rows(task, read))


def _do(seconds: int, answers: Answers) -> None:
    try:
        _allow(seconds)
        for answer, block in answers:
            _say(answer, block.tobytes())
            _allow(seconds)
    except ItemError as error:
        _refuse(error)
    except MemoryError:
        _refuse(no_memory())


def _picture(task: Task, content: bytes, prepare: Preparer) -> Answers:
    row = np.zeros(task.wanted.sample_shape, task.wanted.sample_dtype)
    frame = prepare(content, task.wanted, Room(task.max_pixels), row)
    yield Answer(shape=row.shape, frames=(frame,)), row


def _rows(task: RowsTask, read: Reader) -> Answers:
    for (rows, frames), last in read(task.share, task.item, task.wanted, Room(task.max_pixels)):
        yield Answer(shape=rows.shape, last=last, frames=frames), rows


def _refuse(error: ItemError) -> None:
    _say(Answer(code=error.code, message=str(error), can_retry=error.can_retry))


def _say(answer: Answer, numbers: bytes = b"") -> None:
    sys.stdout.buffer.write(answer.model_dump_json().encode() + b"\n" + numbers)
    sys.stdout.buffer.flush()


def _allow(seconds: int) -> None:
    """From now on, so much CPU time."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + seconds, most))


if __name__ == "__main__":
    main()
