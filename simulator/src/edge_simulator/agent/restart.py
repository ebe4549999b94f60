"""When a module that has ended starts again (edgeAgent's `RestartPolicyManager.cs`)."""

from dataclasses import dataclass
from typing import Final

from edge_simulator.manifest import ModuleSpec

BACKOFF_UNIT_S: Final = 10.0
_LONGEST_UNITS: Final = 30
_MOST_RESTARTS: Final = 20
# edgeAgent forgets the restarts of a module that has stayed up for ten minutes.
_STABLE_UNITS: Final = 60


@dataclass(slots=True)
class Backoff:
    """The waits of one module, doubling from `unit_s` seconds to thirty times that."""

    unit_s: float = BACKOFF_UNIT_S
    restarts: int = 0

    def next_wait(self, ran_s: float) -> float | None:
        """Return how long to wait after a run of `ran_s` seconds, or None when there were too many restarts."""
        if ran_s >= _STABLE_UNITS * self.unit_s:
            self.restarts = 0
        if self.restarts >= _MOST_RESTARTS:
            return None
        wait_s: float = self.unit_s * min(2**self.restarts, _LONGEST_UNITS)
        self.restarts += 1
        return wait_s


def restarts(spec: ModuleSpec, exit_code: int) -> bool:
    """Say whether the module's policy wants it back after this exit code."""
    if spec.restart_policy == "never":
        return False
    return spec.restart_policy == "always" or exit_code != 0
