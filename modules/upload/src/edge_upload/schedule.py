"""When a shard is cut. Pure: no I/O."""

from collections.abc import Sequence
from math import inf

from edge_upload.settings import UploadSettings
from edge_upload.shards import Group, Key


class Schedule:
    """Watches what waits, by monotonic time: the wall clock may jump."""

    def __init__(self) -> None:
        self._since: dict[Key, float] | None = None

    def due(self, groups: Sequence[Group], now: float, settings: UploadSettings) -> Group | None:
        """The group to cut a shard of now: of those that go first, the one that has waited longest.

        What remains of it waits anew.

        What waits at the first call has waited since the last run of the process, and is due.

        Args:
            groups: All that waits.
            now: Monotonic, in seconds.
            settings: Say what is enough for a shard, and how long is long enough.
        """
        before, unseen = ({}, -inf) if self._since is None else (self._since, now)
        self._since = {group.key: before.get(group.key, unseen) for group in groups}
        ripe = [group for group in groups if self._is_ripe(group, now, settings)]
        if not ripe:
            return None
        chosen = min(ripe, key=lambda group: (group.rank, self._waiting_since(group)))
        self._since[chosen.key] = now
        return chosen

    def _is_ripe(self, group: Group, now: float, settings: UploadSettings) -> bool:
        return (
            group.bytes >= settings.shard_bytes
            or group.rows >= settings.shard_rows
            or now - self._waiting_since(group) >= settings.shard_seconds
        )

    def _waiting_since(self, group: Group) -> float:
        return (self._since or {})[group.key]
