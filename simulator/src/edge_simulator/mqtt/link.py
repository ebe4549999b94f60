"""A connection's way through a network that may fall silent without a word to either end."""

import asyncio
from enum import Enum, auto


class LinkState(Enum):
    """What the network does to the connections of a client."""

    OPEN = auto()
    # Nothing passes in either direction; what was sent arrives once the link is open again, as TCP sees to.
    SILENT = auto()
    # Nothing passes, and new connections are reset.
    REJECTING = auto()


class Link:
    """A transport that can be cut and mended."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._kept: list[bytes] = []
        self.is_cut = False

    def write(self, data: bytes) -> None:
        """Send bytes, or keep them until the link is mended."""
        if self.is_cut:
            self._kept.append(data)
        else:
            self._transport.write(data)

    def cut(self) -> None:
        """Let nothing pass."""
        self.is_cut = True
        self._transport.pause_reading()

    def mend(self) -> None:
        """Let everything pass again, what was kept first."""
        self.is_cut = False
        kept, self._kept = self._kept, []
        self._transport.write(b"".join(kept))
        self._transport.resume_reading()

    def close(self) -> None:
        """Close once everything is written."""
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    @property
    def peer(self) -> object:
        """The other end's address."""
        return self._transport.get_extra_info("peername")
