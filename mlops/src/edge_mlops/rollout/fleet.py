"""The seam to a fleet: the twins of one module on every device of a hub."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

JsonObject = Mapping[str, Any]

PAGE: Final = 100
"""IoT Hub gives no more twins at once."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a rollout leaves in the tags of a twin that it edits, so that whoever comes next knows of it.

    Attributes:
        id: The rollout's.
        wave: The number of the device's wave, from 0.
        before: The desired property ``model`` to return to; None if there was none.
        undone: Whether that one is asked for again.
    """

    id: str
    wave: int
    before: JsonObject | None = None
    undone: bool = False

    @classmethod
    def read(cls, tag: object) -> Self | None:
        """Read a twin's tag; None if it is none."""
        if not (isinstance(tag, Mapping) and isinstance(tag.get("id"), str)):
            return None
        return cls(tag["id"], tag["wave"], tag.get("before"), tag["undone"])

    def tag(self) -> dict[str, Any]:
        """As a twin's tag."""
        before = {} if self.before is None else {"before": self.before}
        return {"id": self.id, "wave": self.wave, **before, "undone": self.undone}


@dataclass(frozen=True, slots=True)
class ModuleTwin:
    """A module's twin.

    Attributes:
        device: Whose.
        etag: Another one after each change of tags or desired properties.
        connected: Whether the module is.
        model: The desired property ``model``.
        reported: The reported property ``model``; empty if there is none.
        tag: What the last rollout left in its tags.
    """

    device: str
    etag: str
    connected: bool
    model: JsonObject | None
    reported: JsonObject
    tag: object = None

    @property
    def mark(self) -> Mark | None:
        """The last rollout's mark."""
        return Mark.read(self.tag)


class Fleet(Protocol):
    """The twins of one module on every device of a hub."""

    def devices(self, condition: str) -> list[str]:
        """The ids of the devices that meet a target condition, as far as the hub's index has them.

        Raises:
            HubError: It is none, or the hub cannot be asked.
        """

    def twin(self, device: str) -> ModuleTwin | None:
        """The twin of a device's module as it is at this moment; None if there is no such module.

        Raises:
            HubError: The hub cannot be asked.
        """

    def told(self, rollout: str) -> Iterator[ModuleTwin]:
        """The twins that bear a rollout's mark, as far as the hub's index has them; each as it was at some moment.

        Raises:
            HubError: The hub cannot be asked.
        """

    def update(self, twin: ModuleTwin, model: JsonObject | None, mark: Mark) -> None:
        """Set a twin's desired property ``model`` and its mark, both or none.

        Args:
            twin: As it was read.
            model: None removes the property.
            mark: The mark.

        Raises:
            ChangedError: It is another one meanwhile.
            HubError: The hub cannot be asked.
        """
