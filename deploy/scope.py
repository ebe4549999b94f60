"""Which devices are meant: one by its id, or all that meet a target condition."""

import hashlib
from dataclasses import dataclass

from deploy.errors import DeployError
from deploy.hub import Hub


@dataclass(frozen=True, slots=True)
class Scope:
    """One device, or a fleet; both empty is every IoT Edge device of the hub."""

    device: str = ""
    condition: str = ""

    def __post_init__(self) -> None:
        if self.device and self.condition:
            raise DeployError("DEVICE and CONDITION contradict each other: give one of them")

    def require(self) -> "Scope":
        """Return it, if it says which devices.

        Raises:
            DeployError: It says nothing.
        """
        if not self.device and not self.condition:
            raise DeployError("say where to: DEVICE=… for one device, or CONDITION=\"tags.site = 'lab'\" for a fleet")
        return self

    @property
    def text(self) -> str:
        """As people read it."""
        return f"device {self.device}" if self.device else f"devices where {self.condition}"

    @property
    def key(self) -> str:
        """As part of an id in the hub."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:10]

    def devices(self, hub: Hub) -> list[str]:
        """Return the ids of the devices that are meant now."""
        return [self.device] if self.device else hub.devices(self.condition or "capabilities.iotEdge = true")
