"""Messages between their form on the wire and the form that routes see.

Names and directions are those of edgeHub's `SystemProperties.cs` and of its MQTT topic templates (Azure/iotedge).
"""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, unquote

from edge_simulator.routing import Message

MAX_MESSAGE_BYTES: Final = 262_144

_SYSTEM_NAMES: Final = {
    "$.exp": "absolute-expiry-time",
    "$.cid": "cid",
    "$.mid": "messageId",
    "$.to": "to",
    "$.uid": "userId",
    "ack": "ack",
    "$.on": "outputName",
    "$.ct": "contentType",
    "$.ce": "contentEncoding",
    "$.schema": "messageSchema",
    "iothub-operation": "operation",
    "$.ctime": "creationTime",
    "$.ifid": "iothub-interface-id",
    "$.sub": "dt-subject",
}
_KEPT_FROM_MODULES: Final = {"outputName", "iothub-interface-id"}
# The hub alone says where a message came from; what a module writes there is dropped.
_STAMPS: Final = {"$.cdid": "connectionDeviceId", "$.cmid": "connectionModuleId"}
_WIRE_NAMES: Final = {name: wire for wire, name in (_SYSTEM_NAMES | _STAMPS).items() if name not in _KEPT_FROM_MODULES}


def telemetry(device_id: str, module: str, bag: str, body: bytes) -> Message:
    """Return the message that a module sent with this property bag."""
    properties, system = _sorted_out(_pairs(bag))
    system |= {"connectionDeviceId": device_id, "connectionModuleId": module}
    output = system.get("outputName")
    source = f"/messages/modules/{module}/outputs/{output}" if output else f"/messages/modules/{module}"
    return Message(source, properties, system, body)


def injected(properties: Mapping[str, str], body: bytes) -> Message:
    """Return a message that no module sent, with properties as they are named in topics (`$.ct`: content type)."""
    own, system = _sorted_out(properties.items())
    return Message("/", own, system, body)


def _sorted_out(pairs: Iterable[tuple[str, str | None]]) -> tuple[dict[str, str | None], dict[str, str | None]]:
    """Return application and system properties."""
    properties: dict[str, str | None] = {}
    system: dict[str, str | None] = {}
    for key, value in pairs:
        if (name := _SYSTEM_NAMES.get(key)) is not None:
            system[name] = value
        elif key not in _STAMPS:
            properties[key] = value
    return properties, system


def twin_change(device_id: str, module: str, patch: bytes) -> Message:
    """Return the notification that `module` has reported properties, from `$edgeHub` where routes look at it."""
    system: dict[str, str | None] = {
        "connectionDeviceId": device_id,
        "connectionModuleId": module,
        "contentType": "application/json",
        "contentEncoding": "utf-8",
        "messageType": "twinChangeNotification",
    }
    return Message("/twinChangeNotifications", {}, system, patch)


def size(message: Message) -> int:
    """Return the size that the limit of 256 KiB is about (`Message.Size` in edgeHub's Routing.Core)."""
    return len(message.body) + _length(message.properties) + _length(message.system_properties)


def _length(properties: Mapping[str, str | None]) -> int:
    """Count UTF-16 code units as edgeHub does: a property without a value takes all before it out of the count."""
    total = 0
    for key, value in properties.items():
        total = 0 if value is None else total + _code_units(key) + _code_units(value)
    return total


def _code_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def bag(properties: Mapping[str, str | None], system_properties: Mapping[str, str | None]) -> str:
    """Return the property bag of a message for a module: its own properties first."""
    system = ((_WIRE_NAMES[name], value) for name, value in system_properties.items() if name in _WIRE_NAMES)
    return "&".join(_pair(key, value) for key, value in (*properties.items(), *system))


def _pair(key: str, value: str | None) -> str:
    return quote(key, safe="") if value is None else f"{quote(key, safe='')}={quote(value, safe='')}"


def _pairs(bag: str) -> list[tuple[str, str | None]]:
    """Return the bag's pairs; the value of a key without `=` is None."""
    parts = (part.partition("=") for part in bag.split("&") if part)
    return [(unquote(key), unquote(value) if equals else None) for key, equals, value in parts]
