"""The drift that is going on, on disk, so that a restart neither forgets it nor tells of it again."""

import contextlib
import logging
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from edge_common.files import write_atomically
from edge_common.messages import ModelIdentity

log = logging.getLogger(__name__)


class Episode(BaseModel):
    """Whose input drifts, and since when."""

    model: ModelIdentity
    since: datetime


class EpisodeFile:
    """Where it is kept. A disk that refuses costs a repeated or a missing alert after a restart, no more.

    Args:
        path: The file, which is there while there is drift.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Episode | None:
        """The drift that was going on when the module ended."""
        try:
            return Episode.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as error:
            log.warning("%s cannot be used (%s); whether there was drift before is not known", self._path, error)
            return None

    def write(self, episode: Episode | None) -> None:
        """Keep this one, or none."""
        try:
            if episode:
                write_atomically(self._path, episode.model_dump_json().encode())
            else:
                with contextlib.suppress(FileNotFoundError):
                    self._path.unlink()
        except OSError as error:
            log.warning("a restart will not know that drift has started or ended: %s", error)
