"""Wall clocks that are wrong, jump, and pass midnight."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta

from chaos.deployment import MODULES
from chaos.fault import AT_ONCE, Fault
from chaos.launch import clocks_can_lie
from chaos.site import Site

AHEAD_S = 1800
BEHIND_S = -1800
BEFORE_MIDNIGHT_S = 2


def ahead_by(module: str, offset_s: Callable[[], int]) -> Callable[[Site], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        with site.launcher.clock(module, offset_s()):
            yield

    return strike


def corrected(module: str) -> Callable[[Site], AbstractAsyncContextManager[None]]:
    """A clock that was behind all the time is set right."""

    @asynccontextmanager
    async def strike(site: Site) -> AsyncIterator[None]:
        site.launcher.correct_clock(module, AHEAD_S)
        yield

    return strike


def just_before_midnight() -> int:
    """Seconds from now."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return int((midnight - now).total_seconds()) - BEFORE_MIDNIGHT_S


WRONG: tuple[tuple[str, Callable[[], int]], ...] = (
    ("clock of {} ahead", lambda: AHEAD_S),
    ("clock of {} behind", lambda: BEHIND_S),
    ("clock of {} passes midnight", just_before_midnight),
)

FAULTS = (
    *(
        Fault(name.format(module), f"clock {module}", ahead_by(module, offset_s), (3.0, 6.0), possible=clocks_can_lie)
        for name, offset_s in WRONG
        for module in MODULES
    ),
    *(
        Fault(f"clock of {module} set ahead for good", f"clock {module}", corrected(module), AT_ONCE, 1, clocks_can_lie)
        for module in MODULES
    ),
)
