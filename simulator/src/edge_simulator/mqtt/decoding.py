"""Bytes to packets (MQTT 3.1.1, sections 2 and 3), strictly."""

import struct
from collections.abc import Callable
from typing import Final

from edge_simulator.mqtt import topics
from edge_simulator.mqtt.errors import MalformedPacketError, UnsupportedProtocolError
from edge_simulator.mqtt.packets import (
    SUBACK_FAILURE,
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    ReturnCode,
    SubAck,
    Subscribe,
    UnsubAck,
    Unsubscribe,
    Will,
)

# In subscriptions and wills, where QoS 2 may be asked for.
_HIGHEST_QOS: Final = 2


def decode(first: int, body: bytes) -> Packet:
    """Return the packet with this first byte and these bytes after the remaining length.

    Raises:
        MalformedPacketError: MQTT 3.1.1 does not allow it.
        UnsupportedProtocolError: a CONNECT of another version.
    """
    kind, flags = first >> 4, first & 0x0F
    if kind == _PUBLISH:
        return _publish(flags, body)
    if kind not in _DECODERS:
        raise MalformedPacketError(f"packet type {kind} has no place in QoS 0 and 1")
    decoder, wanted_flags = _DECODERS[kind]
    if flags != wanted_flags:
        raise MalformedPacketError(f"packet type {kind} with flags {flags:#06b}")
    fields = _Fields(body)
    packet = decoder(fields)
    if not fields.done:
        raise MalformedPacketError(f"{type(packet).__name__} has bytes after its end")
    return packet


class _Fields:
    """A cursor over the fields of one packet."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    @property
    def done(self) -> bool:
        return self._at == len(self._body)

    def byte(self) -> int:
        return self._number("!B", 1)

    def short(self) -> int:
        return self._number("!H", 2)

    def packet_id(self) -> int:
        value = self.short()
        if value == 0:
            raise MalformedPacketError("packet id 0")
        return value

    def binary(self) -> bytes:
        length = self.short()
        value = self._body[self._at : self._at + length]
        if len(value) < length:
            raise MalformedPacketError("a field ends beyond its packet")
        self._at += length
        return value

    def string(self) -> str:
        try:
            value = self.binary().decode()
        except UnicodeDecodeError as error:
            raise MalformedPacketError("a string is not UTF-8") from error
        if "\0" in value:
            raise MalformedPacketError("a string holds U+0000")
        return value

    def topic(self) -> str:
        value = self.string()
        if not topics.is_name(value):
            raise MalformedPacketError(f"{value!r} is no topic to publish to")
        return value

    def filter(self) -> str:
        value = self.string()
        if not topics.is_filter(value):
            raise MalformedPacketError(f"{value!r} is no topic filter")
        return value

    def rest(self) -> bytes:
        value = self._body[self._at :]
        self._at = len(self._body)
        return value

    def _number(self, form: str, size: int) -> int:
        try:
            (value,) = struct.unpack_from(form, self._body, self._at)
        except struct.error as error:
            raise MalformedPacketError("a field ends beyond its packet") from error
        self._at += size
        return int(value)


def _publish(flags: int, body: bytes) -> Publish:
    dup, qos, retain = bool(flags & 8), flags >> 1 & 3, bool(flags & 1)
    if qos > 1:
        raise MalformedPacketError(f"PUBLISH with QoS {qos}")
    if dup and not qos:
        raise MalformedPacketError("PUBLISH with DUP and QoS 0")
    fields = _Fields(body)
    topic = fields.topic()
    packet_id = fields.packet_id() if qos else 0
    return Publish(topic, fields.rest(), qos, packet_id, dup, retain)


def _connect(fields: _Fields) -> Connect:
    protocol, level = fields.binary(), fields.byte()
    if (protocol, level) != (b"MQTT", 4):
        raise UnsupportedProtocolError(f"protocol {protocol!r} level {level}")
    flags, keep_alive = fields.byte(), fields.short()
    has_username, has_password = bool(flags & 0x80), bool(flags & 0x40)
    if flags & 1 or (has_password and not has_username):
        raise MalformedPacketError(f"CONNECT with flags {flags:#010b}")
    return Connect(
        client_id=fields.string(),
        clean_session=bool(flags & 0x02),
        keep_alive=keep_alive,
        will=_will(flags, fields),
        username=fields.string() if has_username else None,
        password=fields.binary() if has_password else None,
    )


def _will(flags: int, fields: _Fields) -> Will | None:
    present, qos, retain = bool(flags & 0x04), flags >> 3 & 3, bool(flags & 0x20)
    if qos > _HIGHEST_QOS or (not present and (qos or retain)):
        raise MalformedPacketError(f"CONNECT with flags {flags:#010b}")
    return Will(fields.topic(), fields.binary(), qos, retain) if present else None


def _conn_ack(fields: _Fields) -> ConnAck:
    flags, code = fields.byte(), fields.byte()
    if flags > 1 or code > max(ReturnCode):
        raise MalformedPacketError(f"CONNACK with flags {flags} and code {code}")
    return ConnAck(bool(flags), ReturnCode(code))


def _subscribe(fields: _Fields) -> Subscribe:
    packet_id = fields.packet_id()
    filters = [(fields.filter(), _qos(fields.byte()))]
    while not fields.done:
        filters.append((fields.filter(), _qos(fields.byte())))
    return Subscribe(packet_id, tuple(filters))


def _qos(value: int) -> int:
    if value > _HIGHEST_QOS:
        raise MalformedPacketError(f"QoS {value}")
    return value


def _sub_ack(fields: _Fields) -> SubAck:
    packet_id, granted = fields.packet_id(), fields.rest()
    if any(code not in {0, 1, 2, SUBACK_FAILURE} for code in granted):
        raise MalformedPacketError(f"SUBACK with {granted!r}")
    return SubAck(packet_id, tuple(granted))


def _unsubscribe(fields: _Fields) -> Unsubscribe:
    packet_id = fields.packet_id()
    filters = [fields.filter()]
    while not fields.done:
        filters.append(fields.filter())
    return Unsubscribe(packet_id, tuple(filters))


_PUBLISH: Final = 3
# Each packet type's decoder, and the flags that its first byte must carry (section 2.2.2).
_DECODERS: Final[dict[int, tuple[Callable[[_Fields], Packet], int]]] = {
    1: (_connect, 0),
    2: (_conn_ack, 0),
    4: (lambda fields: PubAck(fields.packet_id()), 0),
    8: (_subscribe, 2),
    9: (_sub_ack, 0),
    10: (_unsubscribe, 2),
    11: (lambda fields: UnsubAck(fields.packet_id()), 0),
    12: (lambda _: PingReq(), 0),
    13: (lambda _: PingResp(), 0),
    14: (lambda _: Disconnect(), 0),
}
