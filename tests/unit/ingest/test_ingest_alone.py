"""What is lost again and again is sent alone, and said to be."""

from pathlib import Path

from edge_common.messages import ItemsMessage
from unit.ingest.rig import running, silent


async def test_a_suspect_is_marked_as_such(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    async with running(tmp_path, silent, leaseSeconds=1) as rig:
        rig.put("a.png")
        await rig.until(lambda: len(rig.messages) >= 3)
        sent = [ItemsMessage.decode(message.body) for message in rig.hub.sent if message.output == "items"]
    assert [(message.items[0].attempt, message.alone) for message in sent[:3]] == [(1, False), (2, True), (3, True)]
