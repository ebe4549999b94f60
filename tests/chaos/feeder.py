"""Files that come to the share: each of its own content, some overwritten soon after."""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random

from edge_examples.drops import Drop, Manner, deliver
from support.fragile import CRASH

LINES, CAMERAS = 8, 3
REWRITTEN = 0.05
"""The share of files that are overwritten."""
REWRITTEN_AFTER_S = (0.2, 8.0)
RECENT = 200


@dataclass(frozen=True)
class Delivery:
    """One content under one path.

    Attributes:
        path: Relative to the share.
        sha256: Of the content.
        base: Which picture it shows; -1 for what crashes the decoder.
        label: What a model should say of it, or None.
        at: When it was there, in seconds since the epoch.
    """

    path: str
    sha256: str
    base: int
    label: str | None
    at: float

    @property
    def crashes(self) -> bool:
        return self.base < 0


class Feeder:
    """Writes files at a steady rate.

    Args:
        share: The share's true place, which no fault of the device's mounts reaches.
        pictures: What the files show.
        random: Decides.

    Attributes:
        deliveries: All that was written, in order.
    """

    def __init__(self, share: Path, pictures: Sequence[Drop], random: Random) -> None:
        self._share = share
        self._pictures = pictures
        self._random = random
        self._numbers = count()
        self._recent: deque[str] = deque(maxlen=RECENT)
        self.deliveries: list[Delivery] = []

    async def run(self, files: int, seconds: float) -> None:
        """Write so many files in so many seconds, or somewhat more."""
        started = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(files):
                await asyncio.sleep(started + number * seconds / files - time.monotonic())
                path = self.write_one()
                if self._random.random() < REWRITTEN:
                    group.create_task(self._rewrite(path, self._random.uniform(*REWRITTEN_AFTER_S)))

    def write_one(self) -> str:
        """Write a new file; its path is returned."""
        number = next(self._numbers)
        path = f"line-{number % LINES}/camera-{number % CAMERAS}/{number:06d}.img"
        self._picture(path)
        return path

    def rewrite_recent(self, count: int) -> None:
        """Overwrite some of the files that are on their way."""
        for path in self._random.sample(list(self._recent), min(count, len(self._recent))):
            self._picture(path)

    def write_crasher(self) -> None:
        """Write a file that crashes its decoder."""
        number = len(self.deliveries)
        picture = self._random.choice(self._pictures)
        self._write(f"crash-{number}.img", picture.content + CRASH + b"%d" % number, -1, None)

    async def _rewrite(self, path: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        self._picture(path)

    def _picture(self, path: str) -> None:
        """Write a picture; what follows its end makes the content its own, in as many bytes each time."""
        base = self._random.randrange(len(self._pictures))
        picture = self._pictures[base]
        self._write(path, picture.content + b"%012d" % len(self.deliveries), base, picture.label)
        self._recent.append(path)

    def _write(self, path: str, content: bytes, base: int, label: str | None) -> None:
        manner = self._random.choice((Manner.WRITTEN, Manner.RENAMED))
        at = deliver(Drop(path, content, manner), self._share)
        self.deliveries.append(Delivery(path, hashlib.sha256(content).hexdigest(), base, label, at))
