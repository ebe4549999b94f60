"""What the cloud would see: messages to `$upstream` and reported properties, for whoever watches."""

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from edge_simulator.store.queue import Queued

_BACKLOG: Final = 10_000

Event = dict[str, Any]


class Monitor:
    """Hands events to every listener; one that falls too far behind is dropped rather than waited for."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.Queue[Event | None]] = set()

    @contextmanager
    def listen(self) -> Iterator[asyncio.Queue[Event | None]]:
        """Give a queue of the events from now on; None ends it."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    def message(self, queued: Queued) -> None:
        """Tell of a message that IoT Hub got."""
        if self._listeners:
            self._publish(
                {
                    "kind": "message",
                    "messageId": queued.system_properties.get("messageId"),
                    "properties": queued.properties,
                    "systemProperties": queued.system_properties,
                    "body": base64.b64encode(queued.body).decode(),
                }
            )

    def reported(self, module: str, patch: Event) -> None:
        """Tell of properties that a module reported."""
        self._publish({"kind": "reported", "module": module, "patch": patch})

    def close(self) -> None:
        """Let every listener go."""
        for queue in list(self._listeners):
            self._drop(queue)

    def _publish(self, event: Event) -> None:
        for queue in list(self._listeners):
            queue.put_nowait(event)
            if queue.qsize() > _BACKLOG:
                self._drop(queue)

    def _drop(self, queue: asyncio.Queue[Event | None]) -> None:
        self._listeners.discard(queue)
        queue.put_nowait(None)
