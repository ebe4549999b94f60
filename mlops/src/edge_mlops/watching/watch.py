"""Looks, and has the steps taken where there is reason to."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from edge_common.clock import Clock
from edge_common.errors import EdgeError
from edge_mlops.watching.fleet import Fleet
from edge_mlops.watching.looking import look
from edge_mlops.watching.memory import Memory, Outcome, Result, alone
from edge_mlops.watching.plan import Plan
from edge_mlops.watching.steps import Round
from edge_mlops.watching.trigger import reasons

log = logging.getLogger(__name__)

OUT: Final[frozenset[Result]] = frozenset({"published", "active"})
STATUS: Final[Mapping[Result, int]] = {"refused": 3, "rolledBack": 4}
"""That a process ends with; 0 otherwise. 1 and 2 are those of errors."""


async def once(plan: Plan, fleet: Fleet | None, clock: Clock) -> Outcome:
    """Look once, and take the steps if there is reason to.

    Args:
        plan: What is watched, and what is done then.
        fleet: The devices; without them, a model is published and no more.
        clock: For stamps, and what steps take.

    Raises:
        StepError: A step cannot be done.
        SinkError: The store does not answer.
        ModelError: A package cannot be made, read or pushed.
        OSError: The disk refuses.
    """
    with alone(plan.folder):
        memory, now = Memory.read(plan.folder), clock.now()
        seen = await look(plan, memory.dataset, fleet)
        why = reasons(plan.when, seen, memory.method)
        if not why:
            return Outcome(at=now, result="nothing")
        outcome = await Round(plan, fleet, clock, memory).carry_out(now, why)
        Memory(
            method=seen.method,
            dataset=outcome.dataset,
            brought_out=outcome.run if outcome.version else memory.brought_out,
            active=outcome.version if outcome.result in OUT else memory.active,
            last=outcome,
        ).write(plan.folder)
        return outcome


async def forever(plan: Plan, fleet: Fleet | None, clock: Clock, tell: Callable[[str], None]) -> None:
    """Look again and again. What keeps a look from being done is logged, and the next one tries again.

    Args:
        plan: As for ``once``.
        fleet: Likewise.
        clock: Likewise; it waits between two looks, too.
        tell: Takes what each look has led to, as a line of JSON.
    """
    while True:
        try:
            tell(told(await once(plan, fleet, clock)))
        except (EdgeError, OSError) as error:
            log.error("%s", error)
        await clock.sleep(plan.every_seconds)


def told(outcome: Outcome) -> str:
    """An outcome as a line of JSON."""
    return outcome.model_dump_json(exclude_defaults=True)
