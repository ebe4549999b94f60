"""When items are sent: the first at once, those beside others together."""

from pathlib import Path

import pytest

from unit.ingest.rig import Rig, accepting, running, silent

GATHER_S = 10.0
AT_ONCE_S = 1.0
"""The rig's steps, and what threads need between them."""


async def seconds_until_sent(rig: Rig, path: str) -> float:
    """From being in the ledger."""
    rig.put(path)
    await rig.until(lambda: path in [item.path for item in rig.items])
    seen_at: float = rig.row(path)["seen_at"]
    return rig.clock.now().timestamp() - seen_at


async def test_what_comes_alone_is_sent_at_once_and_what_follows_it_is_gathered(folder: Path) -> None:
    async with running(folder, silent, batchSeconds=GATHER_S) as rig:
        assert await seconds_until_sent(rig, "first.png") < AT_ONCE_S
        assert await seconds_until_sent(rig, "second.png") > GATHER_S - 2 - AT_ONCE_S  # less what it took to settle


async def test_nothing_waits_for_answers_that_have_just_come(folder: Path) -> None:
    async with running(folder, accepting, batchSeconds=GATHER_S) as rig:
        await seconds_until_sent(rig, "first.png")
        await rig.until_state(first__png="accepted")
        assert await seconds_until_sent(rig, "second.png") < AT_ONCE_S


@pytest.mark.parametrize("gather", [0.02, GATHER_S])
async def test_under_a_backlog_messages_are_full(folder: Path, gather: float) -> None:
    async with running(folder, accepting, batchSeconds=gather, batchItems=32, window=64) as rig:
        await rig.invoke("pause")
        for number in range(160):
            rig.put(f"{number}.png")
        await rig.until(lambda: [*rig.states().values()] == ["ready"] * 160)
        await rig.invoke("resume")
        await rig.until(lambda: {*rig.states().values()} == {"accepted"})
        assert [len(message) for message in rig.messages] == [32] * 5


async def test_what_comes_while_the_hub_is_away_is_dealt_with_all_the_same(folder: Path) -> None:
    async with running(folder, silent, maxBytes=4) as rig:
        rig.hub.lose()
        rig.put("on its way.png")
        await rig.until(lambda: rig.states() == {"on its way.png": "sent"})
        rig.put("later.png")
        rig.put("large.png", b"12345")
        await rig.until_state(later__png="ready", large__png="quarantined")
        assert rig.items == []
        await rig.hub.restore()
        await rig.until(lambda: [item.path for item in rig.items] == ["on its way.png", "later.png"])
