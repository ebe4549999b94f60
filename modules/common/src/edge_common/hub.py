"""The hub as a module sees it: one Protocol, whatever carries the messages."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Method = Callable[[Any], Awaitable[tuple[int, Any]]]
"""A direct method: takes the payload, gives a status (as HTTP has them) and a payload."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came to one of the module's inputs."""

    input: str
    body: bytes
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handlers:
    """What a module wants to hear. All are called on the module's own event loop.

    Attributes:
        message: Called for each message; must not block.
        desired: Called with all desired properties at each connection and each edit; never with a patch.
        methods: Direct methods by name.
    """

    message: Callable[[Received], None]
    desired: Callable[[Mapping[str, Any]], None]
    methods: Mapping[str, Method]


class Hub(Protocol):
    """The connection to edgeHub, kept up for ever."""

    async def start(self, handlers: Handlers) -> None:
        """Connect, however long it takes, and from then on reconnect by itself."""

    async def send(self, output: str, body: bytes, properties: Mapping[str, str] | None = None) -> None:
        """Send a message to an output; returns once the hub has stored it, through reconnects if need be.

        At least once: after a lost connection the hub may have it twice.

        Args:
            output: The output's name.
            body: JSON in UTF-8.
            properties: Application properties, which routes can test.
        """

    async def report(self, patch: Mapping[str, Any]) -> None:
        """Merge a patch into the reported properties; None removes a key. Waits for the connection.

        Raises:
            HubRefusedError: The patch is over the hub's limits.
        """

    @property
    def connected(self) -> bool:
        """Whether the connection stands now."""

    async def close(self) -> None:
        """Disconnect."""
