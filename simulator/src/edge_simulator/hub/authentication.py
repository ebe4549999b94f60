"""Which module a CONNECT comes from, and whether to believe it.

User name and token have the forms that IoT Hub documents in "Communicate with an IoT hub using the MQTT protocol" and
"Control access to IoT Hub by using shared access signatures".
"""

import base64
import binascii
import hmac
import re
from typing import Final
from urllib.parse import unquote

from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import RefusedError
from edge_simulator.mqtt.packets import Connect, ReturnCode

CLOCK_SKEW_S: Final = 300
_USERNAME: Final = re.compile(r"(?P<hub>[^/]+)/(?P<device>[^/]+)/(?P<module>[^/?=]+)/\??api-version=.+")
_SCHEME: Final = "SharedAccessSignature "


def authenticate(packet: Connect, device: Device, now: float) -> str:
    """Return the name of the module that a CONNECT proves to come from; `now` in seconds since the epoch.

    Raises:
        RefusedError: it proves nothing of the kind.
    """
    match = _USERNAME.fullmatch(packet.username or "")
    if match is None:
        raise RefusedError(ReturnCode.BAD_USERNAME_OR_PASSWORD, f"user name {packet.username!r} names no module")
    module = match["module"]
    if packet.client_id != device.client_id(module):
        raise RefusedError(ReturnCode.IDENTIFIER_REJECTED, f"client id {packet.client_id!r} is not that of {module}")
    if match["hub"].lower() not in _hosts(device):
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"{match['hub']!r} is not the IoT hub of this device")
    _check_token((packet.password or b"").decode(errors="replace"), module, device, now)
    return module


def _hosts(device: Device) -> set[str]:
    return {device.hub_host.lower(), device.gateway_host.lower()}


def _check_token(token: str, module: str, device: Device, now: float) -> None:
    fields = _fields(token)
    audience, signature, expiry = fields.get("sr", ""), fields.get("sig", ""), fields.get("se", "")
    host, _, path = unquote(audience).partition("/")
    if host.lower() not in _hosts(device) or path != f"devices/{device.device_id}/modules/{module}":
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token is for {audience!r}, not for {module}")
    if not hmac.compare_digest(_decode(unquote(signature)), device.sign(module, f"{audience}\n{expiry}".encode())):
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token of {module} is not signed with its key")
    if not expiry.isdecimal() or int(expiry) + CLOCK_SKEW_S < now:
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token of {module} has expired")


def _fields(token: str) -> dict[str, str]:
    """Return the token's fields, still percent-encoded, as they are signed in that form."""
    parts = token.removeprefix(_SCHEME).split("&") if token.startswith(_SCHEME) else []
    return {name: value for name, _, value in (part.partition("=") for part in parts)}


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
