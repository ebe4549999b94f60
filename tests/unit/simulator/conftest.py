"""What the tests of the simulator's parts share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.mqtt import HubBench

ROUTES = {
    "in": 'FROM /messages/modules/src/outputs/o INTO BrokeredEndpoint("/modules/dst/inputs/i")',
    "up": "FROM /messages/modules/src/outputs/up INTO $upstream",
    "twins": 'FROM /twinChangeNotifications INTO BrokeredEndpoint("/modules/dst/inputs/twins")',
}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[HubBench]:
    bench = HubBench(tmp_path / "hub.sqlite", ROUTES)
    yield bench
    bench.database.close()
