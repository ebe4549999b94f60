"""Files on their way to the share: what they hold, how they get there, and what must become of them."""

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

PIECES: Final = 4
PAUSE_S: Final = 0.2
WRITERS: Final = 8
"""Files being written at once, so that slow ones hold up nobody."""


class Manner(Enum):
    """How a file gets to the share."""

    WRITTEN = "written"
    """At once, under its name."""
    SLOW = "slow"
    """Piece by piece, under its name."""
    RENAMED = "renamed"
    """Under another name first, then renamed."""
    LINK = "link"
    """As a symbolic link; the content is the target's path."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One file for the share.

    Attributes:
        path: Relative to the share.
        content: Its bytes.
        manner: How it gets there.
        truth: What each of its samples is, in the example's own terms; none where that is not known.
        code: Why it must be quarantined, or None if it must not.
    """

    path: str
    content: bytes
    manner: Manner = Manner.WRITTEN
    truth: tuple[Any, ...] = ()
    code: str | None = None


def deliver(drop: Drop, share: Path) -> float:
    """Put a file on the share.

    Returns:
        When it was complete, in seconds since the epoch.
    """
    path = share / drop.path
    make_open(path.parent)
    if drop.manner is Manner.LINK:
        path.symlink_to(os.fsdecode(drop.content))
    elif drop.manner is Manner.RENAMED:
        beside = path.with_name(path.name + ".part")
        beside.write_bytes(drop.content)
        beside.rename(path)
    elif drop.manner is Manner.SLOW:
        _write_slowly(path, drop.content)
    else:
        path.write_bytes(drop.content)
    return time.time()


async def deliver_all(drops: Sequence[Drop], share: Path) -> dict[str, float]:
    """Put files on the share as fast as they can be written; gives when each was complete, by path."""
    with ThreadPoolExecutor(WRITERS) as pool:
        writing = asyncio.get_running_loop().run_in_executor
        closed = await asyncio.gather(*(writing(pool, deliver, drop, share) for drop in drops))
    return dict(zip((drop.path for drop in drops), closed, strict=True))


def make_open(folder: Path) -> None:
    """Make a folder, if it is not there, that every user may write to: modules in containers are users of their own."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)


def _write_slowly(path: Path, content: bytes) -> None:
    piece = -(-len(content) // PIECES)
    with path.open("wb", buffering=0) as file:
        for start in range(0, len(content), piece):
            if start:
                time.sleep(PAUSE_S)
            file.write(content[start : start + piece])
