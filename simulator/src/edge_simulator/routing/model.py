"""What routing works on: a message, the endpoints it may go to, and a delivery to one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Message:
    """What a route can see of a message.

    `source` is the path that routes match: `/messages/modules/m/outputs/o`, `/twinChangeNotifications`, …
    `system_properties` go by their names in routes: `contentType`, `contentEncoding`, `connectionModuleId`, …
    """

    source: str
    properties: Mapping[str, str | None]
    system_properties: Mapping[str, str | None]
    body: bytes


@dataclass(frozen=True, slots=True)
class ModuleInput:
    """A module's named input: the sink `BrokeredEndpoint("/modules/{module}/inputs/{input}")`."""

    module: str
    input: str


@dataclass(frozen=True, slots=True)
class Upstream:
    """IoT Hub: the sink `$upstream`."""


UPSTREAM: Final = Upstream()

Endpoint = ModuleInput | Upstream


@dataclass(frozen=True, slots=True)
class Delivery:
    """One copy of a message for one endpoint; `ttl_s` None means the route table's own time to live."""

    endpoint: Endpoint
    priority: int
    ttl_s: int | None
