"""Configurations on disk, with what they have already done."""

import json
from pathlib import Path
from typing import Final

from edge_simulator.service.configurations.model import Configuration

# Of each device and kind of content, the configurations (and their versions) that were applied the last time.
Applied = dict[str, list[list[str]]]
_EMPTY: Final = '{"configurations": [], "applied": {}}'


class ConfigurationStore:
    """All configurations by id, in a file that is replaced whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        content = json.loads(path.read_text(encoding="utf-8") if path.exists() else _EMPTY)
        self.all = {one["id"]: Configuration.from_stored(one) for one in content["configurations"]}
        self.applied: Applied = content["applied"]

    def save(self) -> None:
        """Write everything to the file."""
        content = {"configurations": [one.stored() for one in self.all.values()], "applied": self.applied}
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(content), encoding="utf-8")
        fresh.replace(self._path)
