"""Twins on disk."""

import json
from dataclasses import dataclass, field
from typing import Any

from edge_simulator.store.database import Database

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """A module's twin, or the device's; `section` is the manifest's part for it, as last applied."""

    section: JsonObject
    desired: JsonObject
    desired_version: int
    reported: JsonObject
    reported_version: int
    tags: JsonObject = field(default_factory=dict)
    tags_version: int = 1


class TwinStore:
    """The twins by module name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> dict[str, Twin]:
        """Return every twin."""
        rows = self._database.read(
            "SELECT module, section, desired, desired_version, reported, reported_version, tags, tags_version"
            " FROM twins"
        )
        return {
            module: Twin(
                json.loads(section),
                json.loads(desired),
                desired_version,
                json.loads(reported),
                reported_version,
                json.loads(tags),
                tags_version,
            )
            for module, section, desired, desired_version, reported, reported_version, tags, tags_version in rows
        }

    def save(self, module: str, twin: Twin) -> None:
        """Store a twin in place of what was known of it."""
        self._database.write(
            "INSERT OR REPLACE INTO twins VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                module,
                json.dumps(twin.section),
                json.dumps(twin.desired),
                twin.desired_version,
                json.dumps(twin.reported),
                twin.reported_version,
                json.dumps(twin.tags),
                twin.tags_version,
            ),
        )

    def remove(self, module: str) -> None:
        """Forget a twin."""
        self._database.write("DELETE FROM twins WHERE module = ?", (module,))
