"""The devices, as a watch needs them."""

from typing import NamedTuple, Protocol


class Package(NamedTuple):
    """A model that devices can find.

    Attributes:
        name: Its name.
        version: Its version.
        reference: That a twin takes.
    """

    name: str
    version: str
    reference: str


class Fleet(Protocol):
    """The devices that a plan is about."""

    async def drifting(self) -> int:
        """How many of them tell that their input drifts."""

    async def roll_out(self, package: Package) -> str | None:
        """Have them run a model, wave by wave.

        Returns:
            Why they are back on what they had; None, if they run it.
        """
