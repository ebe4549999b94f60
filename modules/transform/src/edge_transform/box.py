"""A process of its own for one file that is suspected of bringing its decoder down.

It is given a line of JSON (:class:`Task`) and then the file, and answers with a line of JSON (:class:`Answer`) and then
the sample. Where it does not, the way it ended says why.
"""

import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field

from edge_common.contract import PictureInput
from edge_common.errors import ItemError
from edge_common.messages import Frame
from edge_transform.errors import DECODE_TIMEOUT, NO_MEMORY, too_long
from edge_transform.prepare import prepare_into
from edge_transform.room import Room

COMMAND: Final = (sys.executable, "-m", "edge_transform.box")

Row = npt.NDArray[np.float32]
Preparer = Callable[[bytes, PictureInput, Room, Row], Frame]
"""Prepares a file's sample, within room for pixels, into a row, and says where it lies in its picture.

See :func:`edge_transform.prepare.prepare_into`.
"""


class Task(BaseModel):
    """What is to be done.

    Attributes:
        wanted: The contract's input half.
        max_pixels: The most that the file's picture may have.
        seconds: The most CPU time that it may take.
    """

    wanted: PictureInput
    max_pixels: int
    seconds: Annotated[int, Field(ge=1)]


class Answer(BaseModel):
    """What became of it: a sample and where it lies in its picture, or else a code."""

    code: str = ""
    message: str = ""
    can_retry: bool = False
    frame: Frame | None = None


def prepare_in_box(content: bytes, task: Task, row: Row, command: Sequence[str] = COMMAND) -> Frame:
    """Prepare a file's sample into its row, in a process of its own; where it lies in its picture.

    Args:
        content: The file.
        task: What to do with it.
        row: Shape ``task.wanted.sample_shape``.
        command: Starts the process.

    Raises:
        ItemError: As from preparing it here; or ``DECODE_TIMEOUT``, or ``DECODER_CRASHED``.
    """
    given = task.model_dump_json(by_alias=True).encode() + b"\n" + content
    try:
        ended = subprocess.run(command, input=given, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own
    except OSError:
        raise NO_MEMORY from None
    if ended.returncode == -signal.SIGXCPU:
        raise ItemError(DECODE_TIMEOUT, too_long(task.seconds))
    if ended.returncode:
        raise ItemError("DECODER_CRASHED", f"decoding it ends its process ({_way(ended.returncode)})")
    line, _, sample = ended.stdout.partition(b"\n")
    answer = Answer.model_validate_json(line)
    if answer.frame is None:
        raise ItemError(answer.code, answer.message, can_retry=answer.can_retry)
    row[...] = np.frombuffer(sample, np.float32).reshape(row.shape)
    return answer.frame


def main(prepare: Preparer = prepare_into) -> None:
    """Be the process."""
    task = Task.model_validate_json(sys.stdin.buffer.readline())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (task.seconds, task.seconds + 1))
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")  # where memory ends, this process goes first
    row = np.zeros(task.wanted.sample_shape, np.float32)
    try:
        frame = prepare(sys.stdin.buffer.read(), task.wanted, Room(task.max_pixels), row)
        answer = Answer(frame=frame)
    except ItemError as error:
        answer = Answer(code=error.code, message=str(error), can_retry=error.can_retry)
    sys.stdout.buffer.write(answer.model_dump_json().encode() + b"\n" + row.tobytes())


def _way(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


if __name__ == "__main__":
    main()
