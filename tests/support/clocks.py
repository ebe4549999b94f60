"""A clock that does not outrun the threads of a test."""

from edge_common.fakes import FakeClock
from support.loops import rest


class PatientClock(FakeClock):
    """A fake clock that moves when threads have nothing left to do, and is seen when they have done what came of it."""

    async def advance(self, seconds: float) -> None:
        await rest()
        await super().advance(seconds)
        await rest()
