"""Who the device is, and the keys of its modules."""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

HUB_HOST: Final = "simulator.azure-devices.net"
DEVICE_ID: Final = "edge"


@dataclass(frozen=True, slots=True)
class Device:
    """An IoT Edge device: its IoT Hub, its id, the host that modules connect to, and the secret behind their keys."""

    gateway_host: str
    secret: bytes
    hub_host: str = HUB_HOST
    device_id: str = DEVICE_ID

    def client_id(self, module: str) -> str:
        """Return the MQTT client id of a module."""
        return f"{self.device_id}/{module}"

    def audience(self, module: str) -> str:
        """Return what a module's tokens are for."""
        return f"{self.hub_host}/devices/{self.device_id}/modules/{module}"

    def key(self, module: str) -> bytes:
        """Return the module's symmetric key (32 bytes)."""
        return hmac.digest(self.secret, b"key\0" + module.encode(), hashlib.sha256)

    def generation_id(self, module: str) -> str:
        """Return the identity's generation: 18 digits, as IoT Hub's look."""
        digest = hmac.digest(self.secret, b"generation\0" + module.encode(), hashlib.sha256)
        return str(int.from_bytes(digest[:7]) + 10**17)

    def sign(self, module: str, data: bytes) -> bytes:
        """Return the HMAC-SHA256 of `data` under the module's key."""
        return hmac.digest(self.key(module), data, hashlib.sha256)
