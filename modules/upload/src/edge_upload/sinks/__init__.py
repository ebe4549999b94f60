"""Where shards go: one Protocol, whatever the store is.

    EdgeError
    └── SinkError
        ├── SinkUnavailableError  the store does not answer, or has no room; trying again can help
        ├── SinkConflictError     something else stands under the name; a person must look
        └── StagedFileError       the file to be stored is gone or damaged; it must be made anew

A further sink is a file beside ``share.py``, a line in the contract suite, and its choice in ``__main__``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from edge_common.errors import EdgeError

Durable = Literal["cloud", "appliance"]


class SinkError(EdgeError):
    """The store did not take a file."""


class SinkUnavailableError(SinkError):
    """The store does not answer, or has no room."""

    retryable = True


class SinkConflictError(SinkError):
    """Something that is not ours stands where a file should go."""

    hint = "move it away; the file is tried again from time to time"


class StagedFileError(SinkError):
    """The file to be stored is gone, or its bytes are not what they were."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file that the store holds.

    Attributes:
        name: Its name there.
        size: Bytes.
        written: Whether it was written now; otherwise it was there before, with the same bytes.
    """

    name: str
    size: int
    written: bool
    etag: str | None = None


class Sink(Protocol):
    """A store of files under names that are written once."""

    @property
    def durable(self) -> Durable:
        """Where a file that was put is durable: in the cloud, or on the appliance that hands it there."""

    async def put(self, name: str, file: Path, sha256: str) -> Stored:
        """Store a file. Again, it does nothing but make sure of it; after a failure it can always be called again.

        Args:
            name: Relative, POSIX; letters, digits and ``. _ - ~ % =``, with ``/`` between folders.
            file: The staged file.
            sha256: Of its bytes, in hex.

        Raises:
            ValueError: The name is none.
            SinkError: It could not be stored; see the kinds above.
        """

    async def check(self, name: str) -> str | None:
        """SHA-256 of what stands under a name, in hex; None if nothing does.

        Raises:
            ValueError: The name is none.
            SinkUnavailableError: The store does not answer.
            SinkConflictError: What stands there is no file.
        """
