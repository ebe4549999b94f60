"""Which models are active and last good, on disk, so that a restart offline runs them."""

import logging
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_common.files import write_atomically
from edge_common.messages import ModelIdentity
from edge_inference.errors import NoSpaceError
from edge_inference.swap import Outcome

log = logging.getLogger(__name__)


class Record(BaseModel):
    """The active model, the one before it, and how the swap to the active one went."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    active: ModelIdentity | None = None
    previous: ModelIdentity | None = None
    last: Outcome | None = None

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
