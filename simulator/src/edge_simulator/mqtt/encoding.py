"""Packets to bytes (MQTT 3.1.1, sections 2 and 3)."""

from collections.abc import Callable
from struct import pack
from typing import Any, Final

from edge_simulator.mqtt.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
)

_LENGTH_LIMIT: Final = 268_435_455
_FIELD_LIMIT: Final = 0xFFFF
_LENGTH_DIGIT: Final = 0x80
_PROTOCOL: Final = b"\x00\x04MQTT\x04"


def encode(packet: Packet) -> bytes:
    """Return the packet's bytes.

    Raises:
        ValueError: a string, or the whole, is longer than the format can say.
    """
    first, body = _ENCODERS[type(packet)](packet)
    return bytes((first,)) + _length(len(body)) + body


def _length(value: int) -> bytes:
    """Return the remaining length: seven bits a byte, least significant first (section 2.2.3)."""
    if value > _LENGTH_LIMIT:
        raise ValueError(f"a packet of {value} bytes is over MQTT's limit")
    digits = bytearray()
    while value >= _LENGTH_DIGIT:
        digits.append(value % _LENGTH_DIGIT | _LENGTH_DIGIT)
        value //= _LENGTH_DIGIT
    digits.append(value)
    return bytes(digits)


def _binary(value: bytes) -> bytes:
    if len(value) > _FIELD_LIMIT:
        raise ValueError(f"a field of {len(value)} bytes is over MQTT's limit")
    return pack("!H", len(value)) + value


def _string(value: str) -> bytes:
    return _binary(value.encode())


def _connect(packet: Connect) -> tuple[int, bytes]:
    flags = packet.clean_session << 1
    fields = [_string(packet.client_id)]
    if (will := packet.will) is not None:
        flags |= 0x04 | will.qos << 3 | will.retain << 5
        fields += [_string(will.topic), _binary(will.payload)]
    if packet.username is not None:
        flags |= 0x80
        fields.append(_string(packet.username))
    if packet.password is not None:
        flags |= 0x40
        fields.append(_binary(packet.password))
    return 0x10, _PROTOCOL + pack("!BH", flags, packet.keep_alive) + b"".join(fields)


def _publish(packet: Publish) -> tuple[int, bytes]:
    packet_id = pack("!H", packet.packet_id) if packet.qos else b""
    first = 0x30 | packet.dup << 3 | packet.qos << 1 | packet.retain
    return first, _string(packet.topic) + packet_id + packet.payload


def _subscribe(packet: Subscribe) -> tuple[int, bytes]:
    filters = (_string(name) + bytes((qos,)) for name, qos in packet.filters)
    return 0x82, pack("!H", packet.packet_id) + b"".join(filters)


def _unsubscribe(packet: Unsubscribe) -> tuple[int, bytes]:
    return 0xA2, pack("!H", packet.packet_id) + b"".join(map(_string, packet.filters))


_ENCODERS: Final[dict[type[Packet], Callable[[Any], tuple[int, bytes]]]] = {
    Connect: _connect,
    ConnAck: lambda packet: (0x20, bytes((packet.session_present, packet.code))),
    Publish: _publish,
    PubAck: lambda packet: (0x40, pack("!H", packet.packet_id)),
    Subscribe: _subscribe,
    SubAck: lambda packet: (0x90, pack("!H", packet.packet_id) + bytes(packet.granted)),
    Unsubscribe: _unsubscribe,
    UnsubAck: lambda packet: (0xB0, pack("!H", packet.packet_id)),
    PingReq: lambda _: (0xC0, b""),
    PingResp: lambda _: (0xD0, b""),
    Disconnect: lambda _: (0xE0, b""),
}
