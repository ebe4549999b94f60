"""Decodes one file in a process of its own (:mod:`edge_transform.box`). If that does not answer, its end says why."""

import math
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from typing import IO, Final, cast

import numpy as np

from edge_common.errors import ItemError
from edge_common.messages import Frame
from edge_transform.box import Answer, Row, RowsTask, Task
from edge_transform.errors import DECODE_TIMEOUT, NO_MEMORY, too_long
from edge_transform.prepare.samples import Samples

COMMAND: Final = (sys.executable, "-m", "edge_transform.box")

FLOAT_BYTES: Final = 4


def prepare_apart(content: bytes, task: Task, row: Row, command: Sequence[str] = COMMAND) -> Frame:
    """Prepare a file's sample into its row; where it lies in its picture.

    Args:
        content: The file.
        task: What to do with it.
        row: Shape ``task.wanted.sample_shape``.
        command: Starts the process.

    Raises:
        ItemError: As from preparing it here; or ``DECODE_TIMEOUT``, or ``DECODER_CRASHED``.
    """
    with closing(_answers(task, content, command)) as answers:
        answer, row[...] = next(answers)
    [frame] = answer.frames
    return frame


def samples_apart(task: RowsTask, command: Sequence[str] = COMMAND) -> Generator[tuple[Samples, bool], None, None]:
    """A file's samples, block by block, and with each block whether it is the last.

    Args:
        task: Which file, and what to do with it.
        command: Starts the process.

    Raises:
        ItemError: As from reading it here; or ``DECODE_TIMEOUT``, or ``DECODER_CRASHED``.
    """
    with closing(_answers(task, b"", command)) as answers:
        for answer, block in answers:
            yield Samples(block, answer.frames), answer.last


def _answers(
    task: Task | RowsTask, content: bytes, command: Sequence[str]
) -> Generator[tuple[Answer, Row], None, None]:
    """What the process answers; it ends with the generator."""
    try:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - our own
    except OSError:
        raise NO_MEMORY from None
    with process:
        try:
            _tell(cast("IO[bytes]", process.stdin), task, content)
            while heard := _hear(cast("IO[bytes]", process.stdout)):
                yield heard
                if heard[0].last:
                    return
            raise _verdict(process.wait(), task.seconds)
        finally:
            process.kill()


def _tell(into: IO[bytes], task: Task | RowsTask, content: bytes) -> None:
    with suppress(BrokenPipeError), into:  # a process that is gone by now says why by how it went
        into.write(task.model_dump_json(by_alias=True).encode() + b"\n" + content)


def _hear(said: IO[bytes]) -> tuple[Answer, Row] | None:
    """The next answer; None where the process ends before it is whole.

    Raises:
        ItemError: The answer is that there is none.
    """
    line = said.readline()
    if not line.endswith(b"\n"):
        return None
    answer = Answer.model_validate_json(line)
    if answer.code:
        raise ItemError(answer.code, answer.message, can_retry=answer.can_retry)
    size = math.prod(answer.shape) * FLOAT_BYTES
    numbers = said.read(size)
    return (answer, np.frombuffer(numbers, np.float32).reshape(answer.shape)) if len(numbers) == size else None


def _verdict(status: int, seconds: int) -> ItemError:
    """What a process's end says of its file. That it was killed says nothing: memory ended, or somebody did it."""
    if status == -signal.SIGKILL:
        return NO_MEMORY
    if status == -signal.SIGXCPU:
        return ItemError(DECODE_TIMEOUT, too_long(seconds))
    way = signal.Signals(-status).name if status < 0 else f"status {status}"
    return ItemError("DECODER_CRASHED", f"decoding it ends its process ({way})")
