"""Which module a CONNECT comes from, and whether to believe it.

User name and token have the forms that IoT Hub documents in "Communicate with an IoT hub using the MQTT protocol" and
"Control access to IoT Hub by using shared access signatures".
"""

import re
from dataclasses import dataclass
from typing import Final

from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import RefusedError
from edge_simulator.mqtt.packets import Connect, ReturnCode
from edge_simulator.sas import SasToken

_USERNAME: Final = re.compile(r"(?P<hub>[^/]+)/(?P<device>[^/]+)/(?P<module>[^/?=]+)/\??api-version=.+")


@dataclass(frozen=True, slots=True)
class Proof:
    """Which module it is, and until when that is proven, in seconds since the epoch."""

    module: str
    until: int


def authenticate(packet: Connect, device: Device, now: float) -> Proof:
    """Return what a CONNECT proves; `now` in seconds since the epoch.

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
    return Proof(module, check_token((packet.password or b"").decode(errors="replace"), module, device, now))


def _hosts(device: Device) -> set[str]:
    return {device.hub_host.lower(), device.gateway_host.lower()}


def check_token(text: str, module: str, device: Device, now: float) -> int:
    """Check that a token proves to come from a module of the device, and return until when it does.

    Times are in seconds since the epoch.

    Raises:
        RefusedError: it does not.
    """
    token = SasToken.parse(text)
    host, path = token.resource
    if host not in _hosts(device) or path != f"devices/{device.device_id}/modules/{module}":
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token is for {token.audience!r}, not for {module}")
    if not token.is_signed_with(device.key(module)):
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token of {module} is not signed with its key")
    if token.has_expired(now):
        raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the token of {module} has expired")
    return token.until
