"""What modules run on: processes of this machine, or containers."""

import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeAlias

from edge_simulator.manifest import ModuleSpec
from edge_simulator.state import State


class Running(Protocol):
    """A module that has been started, with all that it starts itself."""

    @property
    def pid(self) -> int:
        """Its process, as this machine knows it."""

    async def wait(self) -> int:
        """Return its exit code once it has ended; a signal's is below zero, or 128 and the signal in a container."""

    async def stop(self) -> int:
        """End it as Docker ends a container, remove what is left, and return its exit code.

        SIGTERM comes first, and SIGKILL after the timeout. A frozen module goes on, so that it can end.
        """

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to it, if it is still there, and to all that it started."""


class Engine(Protocol):
    """Starts the modules of one device."""

    @property
    def address(self) -> str | None:
        """The address of this machine that modules can reach, or None where every one will do."""

    async def launch(self, spec: ModuleSpec, own: Mapping[str, str]) -> Running:
        """Start a module with `own` over the environment that its deployment gives it.

        Raises:
            LaunchError: it lacks something that the user can mend.
            OSError: the machine refuses.
        """


MakeEngine: TypeAlias = Callable[[State, Mapping[str, Path]], Engine]
"""Makes the engine of the device with a state folder, given where the sources of its volumes and binds are to lie."""
