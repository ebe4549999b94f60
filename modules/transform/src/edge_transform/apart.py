"""Decodes one file in a process of its own (:mod:`edge_transform.box`). If that does not answer, its end says why."""

import math
import signal
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from typing import IO, Final, cast

import numpy as np

from edge_common.errors import ItemError
from edge_common.messages import Frame
from edge_transform.box import Answer, RowsTask, Task
from edge_transform.errors import DECODE_TIMEOUT, no_memory, too_long
from edge_transform.prepare.samples import Samples
from edge_transform.rows import Row

COMMAND: Final = (sys.executable, "-m", "edge_transform.box")


Heard = tuple[Answer, Row]


class Apart:
    """Processes for suspects, each of which has one file at a time.

    To start one takes half a second, and after an outage there are many suspects, all but a few of them innocent: so a
    process that has done with a picture takes the next one. But a file is judged only by the end of a process that has
    done nothing else.

    Args:
        command: Starts a process.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._idle: list[_Box] = []

    def prepare(self, content: bytes, task: Task, row: Row) -> Frame:
        """Prepare a picture's sample into its row; where it lies in its picture.

        Args:
            content: The file.
            task: What to do with it.
            row: Shape ``task.wanted.sample_shape``.

        Raises:
            ItemError: As from preparing it here; or ``DECODE_TIMEOUT``, or ``DECODER_CRASHED``.
        """
        box, (answer, sample) = self._ask_idle(content, task) or self._ask_new(content, task)
        self._idle.append(box)
        answer.check()
        row[...] = sample
        [frame] = answer.frames
        return frame

    def samples(self, task: RowsTask) -> Generator[tuple[Samples, bool], None, None]:
        """A file's samples, block by block, and with each block whether it is the last.

        Raises:
            ItemError: As from reading it here; or ``DECODE_TIMEOUT``, or ``DECODER_CRASHED``.
        """
        box = _Box(self._command)
        try:
            heard = box.ask(task)
            while heard:
                answer, block = heard
                answer.check()
                yield Samples(block, answer.frames), answer.last
                if answer.last:
                    return
                heard = box.hear()
            raise box.verdict(task.seconds)
        finally:
            box.end()

    def rest(self) -> None:
        """End the processes that have nothing to do."""
        with suppress(IndexError):  # threads take from the same list
            while True:
                self._idle.pop().end()

    def _ask_idle(self, content: bytes, task: Task) -> "tuple[_Box, Heard] | None":
        """An idle process's answer; None if there is none, or it ends, perhaps of what it had in hand before."""
        try:
            box = self._idle.pop()
        except IndexError:
            return None
        heard = box.ask(task, content)
        if heard:
            return box, heard
        box.end()
        return None

    def _ask_new(self, content: bytes, task: Task) -> "tuple[_Box, Heard]":
        box = _Box(self._command)
        heard = box.ask(task, content)
        if heard:
            return box, heard
        verdict = box.verdict(task.seconds)
        box.end()
        raise verdict


class _Box:
    """One process.

    Args:
        command: Starts it.

    Raises:
        ItemError: ``NO_MEMORY``: it cannot be started now.
    """

    def __init__(self, command: Sequence[str]) -> None:
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603 - ours
        except OSError:
            raise no_memory() from None
        self._ear = cast("IO[bytes]", self._process.stdin)
        self._mouth = cast("IO[bytes]", self._process.stdout)
        self._dtype = np.dtype(np.float32)

    def ask(self, task: Task | RowsTask, content: bytes = b"") -> Heard | None:
        """Give it something to do, and wait for its first answer; None if it ends instead."""
        self._dtype = np.dtype(task.wanted.sample_dtype)
        with suppress(BrokenPipeError):  # a process that is gone by now says why by how it went
            self._ear.write(b"%s\n%d\n%s" % (task.model_dump_json(by_alias=True).encode(), len(content), content))
            self._ear.flush()
        return self.hear()

    def hear(self) -> Heard | None:
        """Its next answer; None if it ends before that is whole."""
        line = self._mouth.readline()
        if not line.endswith(b"\n"):
            return None
        answer = Answer.model_validate_json(line)
        size = math.prod(answer.shape) * self._dtype.itemsize
        numbers = self._mouth.read(size)
        return (answer, np.frombuffer(numbers, self._dtype).reshape(answer.shape)) if len(numbers) == size else None

    def verdict(self, seconds: int) -> ItemError:
        """What its end says of its file. That it was killed says nothing: memory ended, or somebody did it."""
        status = self._process.wait()
        if status == -signal.SIGKILL:
            return no_memory()
        if status == -signal.SIGXCPU:
            return ItemError(DECODE_TIMEOUT, too_long(seconds))
        way = signal.Signals(-status).name if status < 0 else f"status {status}"
        return ItemError("DECODER_CRASHED", f"decoding it ends its process ({way})")

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        with suppress(BrokenPipeError), self._process:
            pass
