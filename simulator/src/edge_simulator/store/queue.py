"""The messages that wait for a module or for IoT Hub."""

import itertools
import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from edge_simulator.routing import Delivery, Endpoint, Message, ModuleInput
from edge_simulator.store.database import Database

UPSTREAM_MODULE: Final = "$upstream"

Properties = Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Queued:
    """A stored message on its way to one endpoint."""

    row: int
    input: str
    properties: Properties
    system_properties: Properties
    body: bytes


class Queue:
    """First in, first out for each endpoint and priority; priorities and times to live are fixed on entry."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._now = now
        (last,) = database.read("SELECT ifnull(max(id), 0) FROM queue").fetchone()
        # Rows are numbered here, as SQLite would give the number of a row that has gone to another message.
        self._rows = itertools.count(last + 1)

    def put(self, message: Message, delivery: Delivery, ttl_s: int) -> None:
        """Store a message; a `ttl_s` below 0 means for ever."""
        module, module_input = _names(delivery.endpoint)
        self._database.write(
            "INSERT INTO queue VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                next(self._rows),
                module,
                module_input,
                delivery.priority,
                self._now() + ttl_s if ttl_s >= 0 else None,
                json.dumps(message.properties),
                json.dumps(message.system_properties),
                message.body,
            ),
        )

    def peek(self, module: str, limit: int, *, without: Collection[int] = ()) -> list[Queued]:
        """Return the next messages for a module, best priority first, leaving out the rows already under way."""
        rows = self._database.read(
            "SELECT id, input, properties, system_properties, body FROM queue"
            " WHERE module = ? AND ifnull(expires_at > ?, TRUE) AND id NOT IN (SELECT value FROM json_each(?))"
            " ORDER BY priority, id LIMIT ?",
            (module, self._now(), json.dumps(list(without)), limit),
        )
        return [Queued(row, name, json.loads(own), json.loads(system), body) for row, name, own, system, body in rows]

    def remove(self, row: int) -> None:
        """Forget a message that has arrived."""
        self._database.write("DELETE FROM queue WHERE id = ?", (row,))

    def remove_expired(self) -> None:
        """Forget the messages whose time is over."""
        self._database.write("DELETE FROM queue WHERE expires_at <= ?", (self._now(),))

    def keep_only(self, endpoints: Iterable[Endpoint]) -> None:
        """Forget the messages for endpoints that no route leads to any more."""
        kept = {_names(endpoint) for endpoint in endpoints}
        for module, name in self.counts().keys() - kept:
            self._database.write("DELETE FROM queue WHERE module = ? AND input = ?", (module, name))

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many messages wait for each (module, input)."""
        rows = self._database.read("SELECT module, input, count(*) FROM queue GROUP BY module, input")
        return {(module, name): count for module, name, count in rows}


def _names(endpoint: Endpoint) -> tuple[str, str]:
    return (endpoint.module, endpoint.input) if isinstance(endpoint, ModuleInput) else (UPSTREAM_MODULE, "")
