"""Answers leave in one piece."""

import asyncio


class WholeAnswers(asyncio.Transport):
    """Stands for a connection's transport where answers are written: holds their pieces back until they are complete.

    uvicorn writes the head by itself, which is one more system call, and wakes a client that can do nothing yet.

    Args:
        transport: The connection's own.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold a piece back."""
        self._pieces.append(bytes(data))

    def flush(self) -> None:
        """Send what is held back."""
        if self._pieces:
            self._transport.write(b"".join(self._pieces))
            self._pieces.clear()

    def is_closing(self) -> bool:
        """Whether the connection ends."""
        return self._transport.is_closing()

    def close(self) -> None:
        """End the connection behind what is held back."""
        self.flush()
        self._transport.close()
