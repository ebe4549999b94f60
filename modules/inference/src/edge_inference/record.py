"""Which models are active and last good, on disk, so that a restart offline runs them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_common.files import write_atomically
from edge_common.messages import ModelIdentity
from edge_inference.errors import CrashLoopError, NoSpaceError
from edge_inference.swap import Outcome, Rejection

log = logging.getLogger(__name__)


MOST_ATTEMPTS: Final = 2
"""How often a model may take the process down."""

_MOST_REJECTED: Final = 8


class Record(BaseModel):
    """What a restart must know.

    Attributes:
        active: The last good model; one that bakes is not yet.
        previous: The good one before it.
        last: How the last swap ended.
        request_id: The request that the active one was asked for by.
        attempts: By digest, how often a model's loading was begun and never seen to end: written before, so that what
            takes the process down is noticed at the next start.
        rejected: The packages that are not tried again, the newest last.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    active: ModelIdentity | None = None
    previous: ModelIdentity | None = None
    last: Outcome | None = None
    request_id: Annotated[str | None, Field(alias="requestId")] = None
    attempts: Mapping[str, int] = Field(default_factory=dict)
    rejected: tuple[Rejection, ...] = ()

    def begun(self, digest: str) -> Self:
        """A model is about to be tried.

        Raises:
            CrashLoopError: That took the process down too often.
        """
        before = self.attempts.get(digest, 0)
        if before >= MOST_ATTEMPTS:
            raise CrashLoopError(f"the process went down {before} times while it was tried")
        return self.model_copy(update={"attempts": {**self.attempts, digest: before + 1}})

    def ended(self, digest: str) -> Self:
        """The attempt has ended, well or not."""
        left = {key: count for key, count in self.attempts.items() if key != digest}
        return self.model_copy(update={"attempts": left})

    def rejecting(self, entry: Rejection) -> Self:
        """A package is not tried again under its request."""
        kept = (*self._rejected_but(entry.digest), entry)[-_MOST_REJECTED:]
        return self.model_copy(update={"rejected": kept})

    def forgiving(self, digest: str) -> Self:
        """A package is tried again."""
        return self.model_copy(update={"rejected": self._rejected_but(digest)})

    def rejection(self, digest: str, request_id: str | None) -> Rejection | None:
        """Why a package is not tried under a request."""
        return next((each for each in self.rejected if (each.digest, each.request_id) == (digest, request_id)), None)

    def _rejected_but(self, digest: str) -> tuple[Rejection, ...]:
        return tuple(entry for entry in self.rejected if entry.digest != digest)

    def save(self, path: Path) -> None:
        """Write it durably.

        Raises:
            NoSpaceError: The disk refuses.
        """
        try:
            write_atomically(path, self.model_dump_json(by_alias=True, exclude_none=True).encode())
        except OSError as error:
            raise NoSpaceError(f"the active model cannot be recorded ({error})") from error


def read_record(path: Path) -> Record:
    """The record on disk; an empty one where there is none or it cannot be read, which is logged."""
    try:
        return Record.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Record()
    except (OSError, ValidationError) as error:
        log.error("the record of the active model in %s cannot be read: %s", path, error)
        return Record()
