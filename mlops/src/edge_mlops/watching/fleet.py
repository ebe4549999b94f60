"""The devices, as a watch needs them."""

import time
from typing import NamedTuple, Protocol

from edge_mlops.rollout import fleet
from edge_mlops.rollout.events import Tell
from edge_mlops.rollout.plan import Plan, Wish
from edge_mlops.rollout.rollout import roll_out
from edge_mlops.rollout.watching import Clock


class Package(NamedTuple):
    """A model that devices can find.

    Attributes:
        name: Its name.
        version: Its version.
        reference: That a twin takes.
        is_return: Whether devices have a later version, as where a change was taken back.
    """

    name: str
    version: str
    reference: str
    is_return: bool = False


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


class Hub(fleet.Fleet, Protocol):
    """The twins of an IoT Hub."""

    def drifting(self, model: str) -> int:
        """How many devices run a model, and tell that their input drifts.

        Raises:
            HubError: The hub cannot be asked.
        """


class Waves:
    """The devices of an IoT Hub.

    Args:
        hub: Their twins.
        model: The name of the model that they run.
        plan: In which waves they are told of another.
        tell: Is told of what happens then.
        clock: The time.
    """

    def __init__(self, hub: Hub, model: str, plan: Plan, tell: Tell, clock: Clock = time) -> None:
        self._hub, self._model, self._plan, self._tell, self._clock = hub, model, plan, tell, clock

    def drifting(self) -> int:
        return self._hub.drifting(self._model)

    def roll_out(self, package: Package) -> str:
        plan = self._plan.downgrading() if package.is_return else self._plan
        wish = Wish.make(plan, package.name, package.version, package.reference)
        return roll_out(self._hub, plan, wish, self._tell, self._clock).reason
