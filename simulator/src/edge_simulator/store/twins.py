"""Twins on disk."""

import json
from dataclasses import dataclass
from typing import Any

from edge_simulator.store.database import Database

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Twin:
    """A module's twin; `section` is the deployment's part for it, as last applied."""

    section: JsonObject
    desired: JsonObject
    desired_version: int
    reported: JsonObject
    reported_version: int


class TwinStore:
    """The twins by module name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> dict[str, Twin]:
        """Return every twin."""
        rows = self._database.read(
            "SELECT module, section, desired, desired_version, reported, reported_version FROM twins"
        )
        return {
            module: Twin(json.loads(section), json.loads(desired), desired_version, json.loads(reported), version)
            for module, section, desired, desired_version, reported, version in rows
        }

    def save(self, module: str, twin: Twin) -> None:
        """Store a twin in place of what was known of it."""
        self._database.write(
            "INSERT OR REPLACE INTO twins VALUES (?, ?, ?, ?, ?, ?)",
            (
                module,
                json.dumps(twin.section),
                json.dumps(twin.desired),
                twin.desired_version,
                json.dumps(twin.reported),
                twin.reported_version,
            ),
        )
