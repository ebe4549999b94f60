"""Tells the hub what there is to report, without anybody having to wait for the connection."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from edge_common.errors import HubRefusedError
from edge_common.hub import Hub

log = logging.getLogger(__name__)


class Reporter:
    """Reports the newest value of one property; what was never sent is passed over for it.

    Args:
        hub: The connection.
        key: The reported property.
    """

    def __init__(self, hub: Hub, key: str) -> None:
        self._hub = hub
        self._key = key
        self._value: Mapping[str, Any] = {}
        self._changed = asyncio.Event()

    def show(self, value: Mapping[str, Any]) -> None:
        """Report this next."""
        self._value = value
        self._changed.set()

    async def run(self) -> None:
        """Report for ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                await self._hub.report({self._key: self._value})
            except HubRefusedError as error:
                log.error("the reported property %s was not taken: %s", self._key, error)
