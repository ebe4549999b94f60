"""Files that wait beside the share."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Laid:
    """A folder of files.

    Attributes:
        folder: Theirs.
        files: How many.
    """

    folder: Path
    files: int

    def move(self, share: Path) -> float:
        """Move them all into the share at once; when that was, in seconds since the epoch."""
        self.folder.rename(share / self.folder.name)
        return time.time()


def lay_out(folder: Path, contents: Sequence[bytes], files: int) -> Laid:
    """Make a folder of files, over and over of the same contents, each of which is on the disk once."""
    folder.mkdir(parents=True)
    for number in range(files):
        path = folder / f"{number:06}"
        if number < len(contents):
            path.write_bytes(contents[number])
        else:
            os.link(folder / f"{number % len(contents):06}", path)
    return Laid(folder, files)
