"""The hub over the SDK, where no real hub can show it; the rest is in the contract and system suites."""

import asyncio
import socket
from typing import Any

import pytest
from azure.iot.device.common.async_adapter import AwaitableCallback

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


class LateClient:
    """An SDK client that answers, as the SDK does, whenever it comes to that: whether or not anybody still waits."""

    connected = True

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.answer = AwaitableCallback()

    async def send_message_to_output(self, *_: Any) -> None:
        self.asked.set()
        await self.answer.completion()

    async def shutdown(self) -> None:
        self.answer()
        await asyncio.sleep(0)  # it gets there in the loop's next turn


async def test_what_a_connection_sends_waits_for_no_acknowledgement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as hub, socket.create_connection(hub.getsockname()) as connection:
        AzureHub(SilentClient())._state_changed()
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_the_sdk_may_answer_who_waits_no_longer() -> None:
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
    client = LateClient()
    hub = AzureHub(client)
    hub._state_changed()
    sending = asyncio.create_task(hub.send("out", b"{}"))
    await client.asked.wait()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await hub.close()
    assert (sending.cancelled(), troubles) == (True, [])
