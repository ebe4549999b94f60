"""The hub over the SDK, where no real hub can show it; the rest is in the contract and system suites."""

import asyncio
from typing import Any

import pytest

from edge_common.azure_hub import AzureHub
from edge_common.errors import HubStuckError


class SilentClient:
    """An SDK client whose thread has died: it believes that it is connected, and answers nothing."""

    connected = True

    async def send_message_to_output(self, *_: Any) -> None:
        await asyncio.Event().wait()


async def test_a_client_that_neither_answers_nor_disconnects_is_told_from_a_slow_one() -> None:
    hub = AzureHub(SilentClient(), stuck_s=0)
    hub._state_changed()
    with pytest.raises(HubStuckError, match="no answer"):
        await hub.send("out", b"{}")
