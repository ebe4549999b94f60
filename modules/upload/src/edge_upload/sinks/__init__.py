"""Where shards go: one Protocol, whatever the store is.

    EdgeError
    └── SinkError
        ├── SinkMissingError      nothing stands under the name
        ├── SinkUnavailableError  the store does not answer, or has no room; trying again can help
        ├── SinkDeniedError       the store refuses the credentials; they may be replaced while all goes on
        ├── SinkConflictError     something else stands under the name; a person must look
        └── StagedFileError       the file to be stored is gone or damaged; it must be made anew

A further sink is a file beside ``share.py``, a line in the contract suite, and its choice in ``choice.py``.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from edge_common.errors import EdgeError

Durable = Literal["cloud", "appliance"]


class SinkError(EdgeError):
    """The store did not take a file."""


class SinkUnavailableError(SinkError):
    """The store does not answer, or has no room."""

    retryable = True


class SinkDeniedError(SinkError):
    """The store refuses the credentials, or what they allow is too little."""

    retryable = True
    hint = "replace what BLOB_CREDENTIALS names: a SAS needs r and w on the container; see docs/storage.md"


class SinkMissingError(SinkError):
    """Nothing stands under the name."""


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
        etag: Of this version of it, without quotes; None where the store has no such thing.
    """

    name: str
    size: int
    written: bool
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing says of a file.

    Attributes:
        name: Its name in the store.
        size: Bytes.
        modified: When it was written, by the store's clock, in UTC.
        sha256: Of its bytes, in hex, as whoever wrote it said; None where the store keeps none.
        etag: As in ``Stored``.
    """

    name: str
    size: int
    modified: datetime
    sha256: str | None = None
    etag: str | None = None


class Sink(Protocol):
    """A store of files under names that are written once."""

    @property
    def durable(self) -> Durable:
        """Where a file that was put is durable: in the cloud, or on the appliance that hands it there."""

    async def probe(self) -> None:
        """Make sure that the store is there, and lets itself be read and written.

        Raises:
            SinkError: It is not, or does not.
        """

    def limit(self, bytes_per_second: float | None) -> None:
        """Send no more than that from now on, in the mean; None lifts it."""

    async def close(self) -> None:
        """Let go of connections; nothing is called after it."""

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

    def listing(self, prefix: str) -> AsyncIterator[Listed]:
        """Every file whose name starts so, in no order, whoever wrote it.

        Args:
            prefix: Compared as characters, as blob stores do: ``records/device=a`` finds ``device=ab``, too.

        Raises:
            SinkUnavailableError: The store does not answer.
        """

    def read(self, name: str) -> AsyncIterator[bytes]:
        """The bytes of a file, in chunks of a few MiB at most.

        Raises:
            ValueError: The name is none.
            SinkMissingError: There is no such file.
            SinkUnavailableError: The store does not answer.
            SinkConflictError: What stands there is no file.
        """
