"""A byte stream cut into packets."""

from collections.abc import Iterator
from typing import Final

from edge_simulator.mqtt.decoding import decode
from edge_simulator.mqtt.errors import MalformedPacketError, PacketTooLargeError
from edge_simulator.mqtt.packets import Packet

_LENGTH_DIGITS: Final = 4
_MORE_DIGITS: Final = 0x80


class Parser:
    """Takes bytes as they come, in whatever pieces, and gives the packets that are complete."""

    def __init__(self, max_length: int) -> None:
        """Refuse packets whose remaining length is over `max_length` bytes, before they have arrived."""
        self._max_length = max_length
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """Add bytes and yield every packet that they complete.

        Raises:
            MqttError: the stream cannot be read any further.
        """
        self._buffer += data
        while (header := self._header()) is not None:
            start, length = header
            end = start + length
            if len(self._buffer) < end:
                return
            first, body = self._buffer[0], bytes(self._buffer[start:end])
            del self._buffer[:end]
            yield decode(first, body)

    def _header(self) -> tuple[int, int] | None:
        """Return where the next packet's body starts and its length, once that much has arrived."""
        length = 0
        for digit, byte in enumerate(self._buffer[1 : 1 + _LENGTH_DIGITS]):
            length |= byte % _MORE_DIGITS << 7 * digit
            if length > self._max_length:
                raise PacketTooLargeError(f"a packet of {length} bytes or more; the limit is {self._max_length}")
            if byte < _MORE_DIGITS:
                return 2 + digit, length
        if len(self._buffer) > _LENGTH_DIGITS:
            raise MalformedPacketError("a remaining length of more than four digits")
        return None
