"""Packets and their bytes: every packet there and back, and nothing but typed errors for everything else."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.errors import (
    MalformedPacketError,
    MqttError,
    PacketTooLargeError,
    UnsupportedProtocolError,
)
from edge_simulator.mqtt.packets import (
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
from edge_simulator.mqtt.parser import Parser

LIMIT = 100_000

text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
topics = text.filter(lambda value: value and not set(value) & set("+#"))
filters = st.lists(topics | st.just("+"), min_size=1, max_size=4).map("/".join) | topics.map(lambda topic: f"{topic}/#")
packet_ids = st.integers(1, 65535)
wills = st.builds(Will, topics, st.binary(max_size=50), st.integers(0, 2), st.booleans())


def _publish(topic: str, payload: bytes, packet_id: int | None, *, dup: bool, retain: bool) -> Publish:
    if packet_id is None:
        return Publish(topic, payload, retain=retain)
    return Publish(topic, payload, 1, packet_id, dup, retain)


def _connect(packet: Connect) -> Connect:
    return (
        packet if packet.username is not None else Connect(packet.client_id, None, None, keep_alive=packet.keep_alive)
    )


packets: st.SearchStrategy[Packet] = st.one_of(
    st.builds(
        Connect,
        text,
        st.none() | text,
        st.none() | st.binary(max_size=50),
        st.booleans(),
        st.integers(0, 65535),
        st.none() | wills,
    ).map(_connect),
    st.builds(ConnAck, st.booleans(), st.sampled_from(ReturnCode)),
    st.builds(
        _publish, topics, st.binary(max_size=300), st.none() | packet_ids, dup=st.booleans(), retain=st.booleans()
    ),
    st.builds(PubAck, packet_ids),
    st.builds(Subscribe, packet_ids, st.lists(st.tuples(filters, st.integers(0, 2)), min_size=1).map(tuple)),
    st.builds(SubAck, packet_ids, st.lists(st.sampled_from([0, 1, 2, 0x80])).map(tuple)),
    st.builds(Unsubscribe, packet_ids, st.lists(filters, min_size=1).map(tuple)),
    st.builds(UnsubAck, packet_ids),
    st.builds(PingReq),
    st.builds(PingResp),
    st.builds(Disconnect),
)


@given(st.lists(packets, max_size=5), st.lists(st.integers(0, 2000)))
def test_packets_come_back_however_the_bytes_are_cut(sent: list[Packet], cuts: list[int]) -> None:
    data = b"".join(map(encode, sent))
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    parser = Parser(LIMIT)
    assert [packet for start, end in pairwise(edges) for packet in parser.feed(data[start:end])] == sent


@given(st.binary(max_size=200))
def test_any_bytes_give_packets_or_a_typed_error(data: bytes) -> None:
    with suppress(MqttError):
        list(Parser(LIMIT).feed(data))


@given(packets, st.data())
def test_a_damaged_packet_gives_packets_or_a_typed_error(packet: Packet, data: st.DataObject) -> None:
    damaged = bytearray(encode(packet))
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] = data.draw(st.integers(0, 255))
    with suppress(MqttError):
        list(Parser(LIMIT).feed(bytes(damaged)))


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_the_remaining_length_takes_as_many_bytes_as_it_needs(length: int) -> None:
    packet = Publish("t", bytes(length))
    assert list(Parser(length + 10).feed(encode(packet))) == [packet]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\x00\x00", "packet type 0"),
        (b"\xf0\x00", "packet type 15"),
        (b"\x50\x02\x00\x01", "packet type 5"),
        (b"\x30\x80\x80\x80\x80\x01", "more than four digits"),
        (b"\x36\x05\x00\x01t\x00\x01", "QoS 3"),
        (b"\x34\x05\x00\x01t\x00\x01", "QoS 2"),
        (b"\x38\x03\x00\x01t", "DUP"),
        (b"\x32\x05\x00\x01t\x00\x00", "packet id 0"),
        (b"\x30\x02\x00\x00", "no topic"),
        (b"\x30\x03\x00\x01#", "no topic"),
        (b"\x30\x03\x00\x01\xff", "not UTF-8"),
        (b"\x30\x03\x00\x01\x00", "U\\+0000"),
        (b"\x30\x05\x00\x03\xed\xa0\x80", "not UTF-8"),
        (b"\x30\x03\x00\x09t", "ends beyond"),
        (b"\x41\x02\x00\x01", "flags"),
        (b"\x40\x02\x00\x00", "packet id 0"),
        (b"\x40\x03\x00\x01\x00", "after its end"),
        (b"\x40\x01\x00", "ends beyond"),
        (b"\x80\x06\x00\x01\x00\x01t\x00", "flags"),
        (b"\x82\x02\x00\x01", "ends beyond"),
        (b"\x82\x06\x00\x01\x00\x01t\x03", "QoS 3"),
        (b"\x82\x08\x00\x01\x00\x03a#b\x00", "no topic filter"),
        (b"\xa2\x02\x00\x01", "ends beyond"),
        (b"\x90\x03\x00\x01\x03", "SUBACK"),
        (b"\x20\x02\x02\x00", "CONNACK"),
        (b"\x20\x02\x00\x06", "CONNACK"),
        (b"\x10\x0c\x00\x04MQTT\x04\x03\x00\x00\x00\x00", "CONNECT with flags"),
        (b"\x10\x0c\x00\x04MQTT\x04\x42\x00\x00\x00\x00", "CONNECT with flags"),
        (b"\x10\x0c\x00\x04MQTT\x04\x0a\x00\x00\x00\x00", "CONNECT with flags"),
        (b"\x10\x0c\x00\x04MQTT\x04\x1e\x00\x00\x00\x00", "CONNECT with flags"),
        (b"\xc0\x01\x00", "after its end"),
    ],
)
def test_malformed_packets_are_refused(data: bytes, problem: str) -> None:
    with pytest.raises(MalformedPacketError, match=problem):
        list(Parser(LIMIT).feed(data))


@pytest.mark.parametrize("protocol", [b"\x00\x06MQIsdp\x03", b"\x00\x04MQTT\x05", b"\x00\x04mqtt\x04"])
def test_other_protocols_are_told_apart(protocol: bytes) -> None:
    body = protocol + b"\x02\x00\x00\x00\x00"
    with pytest.raises(UnsupportedProtocolError):
        list(Parser(LIMIT).feed(b"\x10" + bytes((len(body),)) + body))


def test_a_packet_over_the_limit_is_refused_before_it_has_arrived() -> None:
    with pytest.raises(PacketTooLargeError):
        list(Parser(100).feed(b"\x30\x65"))


def test_packets_before_a_malformed_one_are_given() -> None:
    stream = Parser(LIMIT).feed(encode(PingReq()) + b"\xf0\x00")
    assert next(stream) == PingReq()
    with pytest.raises(MalformedPacketError):
        next(stream)


@pytest.mark.parametrize(
    "packet", [Publish("t" * 65_536, b""), Connect("c" * 65_536), Publish("t", bytes(268_435_455))], ids=lambda _: ""
)
def test_what_the_format_cannot_say_is_refused(packet: Packet) -> None:
    with pytest.raises(ValueError, match="over MQTT's limit"):
        encode(packet)
