"""Whether a rollout goes on. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from edge_mlops.rollout.board import Counts
from edge_mlops.rollout.plan import Plan
from edge_mlops.rollout.standing import Standing


class Verdict(NamedTuple):
    """What follows from how the devices stand.

    Attributes:
        done: Whether the wave is.
        reason: Why the rollout must stop, if it must.
    """

    done: bool
    reason: str = ""

    @property
    def is_final(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.done or bool(self.reason)


WAIT: Final = Verdict(done=False)


def judge(waves: Sequence[Counts], plan: Plan, *, is_over: bool) -> Verdict:
    """Judge a rollout.

    Devices that are offline count for nothing, but a wave that nobody has taken proves nothing, and is not done. What
    devices of earlier waves say late, or after all, still counts.

    Args:
        waves: How the devices of each wave stand, up to the wave under way.
        plan: What is allowed.
        is_over: Whether the time of the wave under way is.
    """
    for number, counts in enumerate(waves, 1):
        if counts[Standing.FAILED] > plan.allowed(counts.total()):
            return Verdict(done=False, reason=f"{_devices(counts[Standing.FAILED])} of wave {number} failed")
    number, counts = len(waves), waves[-1]
    late = counts[Standing.FAILED] + counts[Standing.WAITING]
    if is_over and late > plan.allowed(counts.total()):
        reason = f"{_devices(late)} of wave {number} failed or did not finish in {plan.wave_seconds:g} s"
        return Verdict(done=False, reason=reason)
    if (is_over or not counts[Standing.WAITING]) and counts[Standing.ACTIVE]:
        return Verdict(done=True)
    if is_over or not (counts[Standing.WAITING] or counts[Standing.OFFLINE]):
        return Verdict(done=False, reason=f"no device of wave {number} has taken it")
    return WAIT


def _devices(count: int) -> str:
    return f"{count} device{'' if count == 1 else 's'}"
