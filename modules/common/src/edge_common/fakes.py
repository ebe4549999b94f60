"""Fakes of the seams, for tests: they behave, within one process. Never used by a running module."""

import asyncio
import copy
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from edge_common.hub import Handlers, Received


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a module sent."""

    output: str
    body: bytes
    properties: Mapping[str, str]


@dataclass
class FakeHub:
    """A hub of one module: the test plays the other side.

    Attributes:
        sent: What the module sent, in order.
        reported: The reported properties.
        twin: The desired properties.
        connected: Whether the connection stands.
    """

    sent: list[Sent] = field(default_factory=list)
    reported: dict[str, Any] = field(default_factory=dict)
    twin: dict[str, Any] = field(default_factory=lambda: {"$version": 1})
    connected: bool = False
    _handlers: Handlers | None = None
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def start(self, handlers: Handlers) -> None:
        """Connect at once and deliver the desired properties."""
        self._handlers, self.connected = handlers, True
        handlers.desired(copy.deepcopy(self.twin))

    async def send(self, output: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        """Keep the message in ``sent``, once the connection stands."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.connected)
        self.sent.append(Sent(output, body, dict(properties or {})))
        await self._notify()

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge into ``reported``."""
        _merge(self.reported, patch)
        await self._notify()

    async def close(self) -> None:
        """Disconnect."""
        self.connected = False

    def lose(self) -> None:
        """Have the connection break."""
        self.connected = False

    async def restore(self) -> None:
        """Have the connection stand again."""
        self.connected = True
        await self._notify()

    def deliver(self, input_name: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        """Deliver a message to the module."""
        self._started.message(Received(input_name, body, dict(properties or {})))

    def edit_twin(self, patch: Mapping[str, Any]) -> None:
        """Edit the desired properties, as an operator does."""
        _merge(self.twin, patch)
        self.twin["$version"] += 1
        self._started.desired(copy.deepcopy(self.twin))

    async def invoke(self, method: str, payload: Any = None) -> tuple[int, Any]:
        """Call a direct method."""
        return await self._started.methods[method](payload)

    async def sent_to(self, output: str, count: int = 1) -> list[Sent]:
        """Wait until so many messages were sent to an output, and return them all."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._at(output)) >= count)
        return self._at(output)

    async def until_reported(self, key: str, value: Any) -> None:
        """Wait until a reported property has a value; the key is dotted."""
        async with self._changed:
            await self._changed.wait_for(lambda: _dig(self.reported, key) == value)

    def _at(self, output: str) -> list[Sent]:
        return [message for message in self.sent if message.output == output]

    @property
    def _started(self) -> Handlers:
        if self._handlers is None:
            raise RuntimeError("the hub is not started")
        return self._handlers

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class FakeClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        """Starts at 2026-01-01 00:00 UTC."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        """Starts at 0."""
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been moved so far."""
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._seconds + seconds, id(future), future))
        await future

    async def advance(self, seconds: float) -> None:
        """Move the clock, waking each sleeper at its time and letting it work."""
        end = self._seconds + seconds
        await _let_others_work()
        while self._sleepers and self._sleepers[0][0] <= end:
            self._seconds, _, future = heapq.heappop(self._sleepers)
            if not future.done():
                future.set_result(None)
            await _let_others_work()
        self._seconds = end


async def _let_others_work() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def _merge(base: dict[str, Any], patch: Mapping[str, Any]) -> None:
    for key, value in patch.items():
        if value is None:
            base.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(base.get(key), dict):
            _merge(base[key], value)
        else:
            base[key] = dict(value) if isinstance(value, Mapping) else value


def _dig(value: Any, key: str) -> Any:
    for name in key.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
