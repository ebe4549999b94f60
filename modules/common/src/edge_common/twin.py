"""Desired properties become settings in force, or a report of why not."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from pydantic import ValidationError

from edge_common.files import write_atomically
from edge_common.settings import TwinSettings

log = logging.getLogger(__name__)

MOST_ERRORS: Final = 10
"""Reported properties are limited in size."""

T = TypeVar("T", bound=TwinSettings)


class SettingsKeeper(Generic[T]):
    """Keeps the last good settings, in memory and on disk, so that a restart offline has them.

    Args:
        kind: The module's twin settings.
        path: Where the last good desired properties are kept.
        apart: Desired properties that are no settings, and are handled elsewhere.
    """

    def __init__(self, kind: type[T], path: Path, apart: frozenset[str] = frozenset()) -> None:
        self._kind = kind
        self._path = path
        self._apart = apart
        self.settings = self._restore()

    def offer(self, desired: Mapping[str, Any]) -> dict[str, Any]:
        """Take desired properties in force if they validate as a whole.

        Args:
            desired: All of them, as in the twin, ``$version`` included.

        Returns:
            The reported property ``config``: ``status`` (``ok`` or ``refused``), ``version``, ``errors``.
        """
        version = desired.get("$version", 0)
        values = {key: value for key, value in desired.items() if not key.startswith("$") and key not in self._apart}
        try:
            settings = self._kind.model_validate(values)
        except ValidationError as error:
            errors = _errors(error)
            log.error("desired properties, version %s, are refused; the last good ones stay: %s", version, errors)
            return {"status": "refused", "version": version, "errors": errors}
        if settings != self.settings:
            write_atomically(self._path, json.dumps(values).encode())
            self.settings = settings
        return {"status": "ok", "version": version, "errors": []}

    def _restore(self) -> T:
        try:
            return self._kind.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return self._kind()
        except (OSError, ValidationError) as error:
            log.warning(
                "the last good settings in %s cannot be used (%s); the defaults are in force", self._path, error
            )
            return self._kind()


def _errors(error: ValidationError) -> list[dict[str, str]]:
    """Each error's path and message, without the value, which might be a secret in the wrong place."""
    entries = error.errors(include_url=False, include_input=False, include_context=False)
    return [
        {"path": ".".join(map(str, entry["loc"])), "message": entry["msg"][:500]} for entry in entries[:MOST_ERRORS]
    ]
