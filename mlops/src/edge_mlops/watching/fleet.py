"""The devices, as a watch needs them."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from edge_mlops.rollout.events import Tell
from edge_mlops.rollout.plan import Plan, Wish
from edge_mlops.rollout.rollout import roll_out

if TYPE_CHECKING:
    from edge_mlops.rollout.hub import HubFleet


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

    def drifting(self) -> int:
        """How many of them tell that their input drifts.

        Raises:
            HubError: Nobody can be asked.
        """

    def roll_out(self, package: Package) -> str:
        """Have them run a model, wave by wave; begun again, it goes on.

        Returns:
            Why they are back on what they had; empty, if they run it.

        Raises:
            StepError: It cannot be begun, or cannot go on.
        """


class Waves:
    """The devices of an IoT Hub.

    Args:
        hub: Their twins.
        model: The name of the model that they run.
        plan: In which waves they are told of another.
        tell: Is told of what happens then.
    """

    def __init__(self, hub: "HubFleet", model: str, plan: Plan, tell: Tell) -> None:
        self._hub, self._model, self._plan, self._tell = hub, model, plan, tell

    def drifting(self) -> int:
        return self._hub.drifting(self._model)

    def roll_out(self, package: Package) -> str:
        wish = Wish.make(self._plan, *package)
        return roll_out(self._hub, self._plan, wish, self._tell).reason
