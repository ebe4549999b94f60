"""The measurements of the last models, on disk, so that a restart need not repeat them."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_common.files import write_atomically
from edge_inference.tuning.choice import Tuning

log = logging.getLogger(__name__)

MOST: Final = 16
"""Models whose measurements are kept."""


class _Entry(BaseModel):
    """What was measured, and what it is valid for."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    valid_for: Mapping[str, str]
    tuning: Tuning


class _Pages(BaseModel):
    """The file; the newest last."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, validate_by_alias=True)

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    tunings: Mapping[str, _Entry] = Field(default_factory=dict)


class Book:
    """Measurements by the models' digests.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries = dict(_read(path).tunings)

    def find(self, digest: str, valid_for: Mapping[str, str]) -> Tuning | None:
        """What was measured for a model, if it is still valid."""
        entry = self._entries.get(digest)
        return entry.tuning if entry and entry.valid_for == valid_for else None

    def enter(self, digest: str, valid_for: Mapping[str, str], tuning: Tuning) -> None:
        """Keep a measurement; a disk that refuses costs a measurement after the next start."""
        self._entries.pop(digest, None)
        self._entries[digest] = _Entry(valid_for=valid_for, tuning=tuning)
        self._entries = dict([*self._entries.items()][-MOST:])
        try:
            write_atomically(self._path, _Pages(tunings=self._entries).model_dump_json(by_alias=True).encode())
        except OSError as error:
            log.warning("what was measured of %s cannot be kept: %s", digest, error)


def _read(path: Path) -> _Pages:
    try:
        return _Pages.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return _Pages()
    except (OSError, ValidationError) as error:
        log.warning("the measurements in %s cannot be read, and are made anew: %s", path, error)
        return _Pages()
