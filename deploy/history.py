"""Which releases a scope has had, as the hub itself remembers them.

A record is a configuration without a target: the hub keeps it, and no device gets it. Its content is the whole
manifest, its label `turn` says when it was last brought to the devices: the highest is in force, the next one was
before it.
"""

from typing import Any, Final

from deploy.errors import DeployError
from deploy.hub import Hub
from deploy.release import Release, digest
from deploy.scope import Scope

_TURN: Final = "turn"
_KEPT: Final = 2
"""The hub holds a hundred configurations, so only what can be gone back to is kept."""


class History:
    """The releases of a scope.

    Args:
        hub: Where they are recorded.
        scope: For whom they are.
    """

    def __init__(self, hub: Hub, scope: Scope) -> None:
        self._hub = hub
        self._scope = scope
        self._prefix = f"edge-ml-{scope.key}-release-"

    def record(self, release: Release) -> str:
        """Record a release, unless it is already, and return its name."""
        name = f"{self._prefix}{digest(release.sections)}"
        if name not in {record.id for record in self._records()}:
            self._hub.create(name, release.sections, {"scope": self._scope.text, _TURN: "0"})
        return name

    def before(self) -> tuple[str, Release]:
        """Return the release before the one in force, and its name.

        Raises:
            DeployError: There is none.
        """
        had = [record for record in self._records() if _turn(record)]
        if len(had) < _KEPT:
            raise DeployError(f"no release before the present one is recorded for {self._scope.text}")
        return had[1].id, Release(had[1].content.modules_content)

    def put_in_force(self, name: str) -> None:
        """Note that a release is in force now, and forget those that nobody goes back to."""
        records = self._records()
        latest = records[0]
        if latest.id != name or not _turn(latest):
            record = next(one for one in records if one.id == name)
            record.labels[_TURN] = str(_turn(latest) + 1)
            self._hub.update(record)
        for forgotten in self._records()[_KEPT:]:
            self._hub.delete(forgotten.id)

    def _records(self) -> list[Any]:
        """Return them, the latest first."""
        return sorted(self._hub.configurations(self._prefix).values(), key=_turn, reverse=True)


def _turn(record: Any) -> int:
    return int(record.labels[_TURN])
