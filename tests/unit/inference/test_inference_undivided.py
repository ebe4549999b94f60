import asyncio

import pytest

from edge_inference.undivided import undivided


class Work:
    """Waits in the middle, and may fail then."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.go, self.done = asyncio.Event(), asyncio.Event(), False
        self._error = error

    async def do(self) -> str:
        self.begun.set()
        await self.go.wait()
        self.done = True
        if self._error:
            raise self._error
        return "result"


@pytest.mark.parametrize("error", [None, OSError("full")])
async def test_whoever_is_cancelled_ends_once_the_work_is_done(error: Exception | None) -> None:
    work = Work(error)
    waiting = asyncio.create_task(undivided(work.do()))
    await work.begun.wait()
    waiting.cancel()
    await asyncio.sleep(0)
    assert not waiting.done()
    work.go.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert work.done


async def test_what_comes_of_the_work_is_handed_on() -> None:
    work, failing = Work(), Work(OSError("full"))
    work.go.set()
    failing.go.set()
    assert await undivided(work.do()) == "result"
    with pytest.raises(OSError, match="full"):
        await undivided(failing.do())
