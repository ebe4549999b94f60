"""Our bytes against those of paho-mqtt, which is what the SDK speaks; both ends are driven by hand, without threads."""

import socket
from collections.abc import Iterator

import pytest
from paho.mqtt import client as paho

from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
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


class Bench:
    """A paho client, and the server's end of its connection."""

    def __init__(self) -> None:
        self.client = paho.Client("the client", clean_session=False)
        self.client.username_pw_set("user", "password")
        self.parser = Parser(1 << 20)
        self.heard: list[object] = []
        self.client.on_message = lambda _client, _data, message: self.heard.append(message)
        self.client.on_publish = lambda _client, _data, mid: self.heard.append(("published", mid))
        self.client.on_subscribe = lambda _client, _data, mid, granted: self.heard.append((mid, granted))
        self.client.on_unsubscribe = lambda _client, _data, mid: self.heard.append(("unsubscribed", mid))
        self.client.on_connect = lambda _client, _data, flags, code: self.heard.append((flags, code))

    def connect(self) -> Packet:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.client.connect(*listener.getsockname(), keepalive=60)
            self.server, _ = listener.accept()
        return self.receive()

    def connected(self) -> None:
        self.connect()
        self.send(ConnAck(session_present=False, code=ReturnCode.ACCEPTED))
        self.heard.clear()

    def receive(self) -> Packet:
        self.client.loop_write()
        while True:
            for packet in self.parser.feed(self.server.recv(4096)):
                return packet

    def send(self, packet: Packet) -> None:
        self.server.sendall(encode(packet))
        assert self.client.loop_read() == paho.MQTT_ERR_SUCCESS

    def close(self) -> None:
        self.client.disconnect()
        self.server.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def test_connect(bench: Bench) -> None:
    bench.client.will_set("a/will", b"gone", qos=1, retain=True)
    will = Will("a/will", b"gone", 1, retain=True)
    assert bench.connect() == Connect("the client", "user", b"password", clean_session=False, keep_alive=60, will=will)


# Paho answers UNACCEPTABLE_PROTOCOL by trying MQTT 3.1 itself.
@pytest.mark.parametrize("code", [code for code in ReturnCode if code != ReturnCode.UNACCEPTABLE_PROTOCOL])
def test_connack(bench: Bench, code: ReturnCode) -> None:
    bench.connect()
    bench.server.sendall(encode(ConnAck(session_present=code == 0, code=code)))
    bench.client.loop_read()
    assert bench.heard == [({"session present": int(code == 0)}, int(code))]


def test_publish_and_puback(bench: Bench) -> None:
    bench.connected()
    sent = bench.client.publish("a/$topic", b"\x00\xffbody" * 100, qos=1)
    assert bench.receive() == Publish("a/$topic", b"\x00\xffbody" * 100, 1, sent.mid)
    bench.send(PubAck(sent.mid))
    assert bench.heard == [("published", sent.mid)]


def test_publish_without_acknowledgement(bench: Bench) -> None:
    bench.connected()
    bench.client.publish("topic", b"", retain=True)
    assert bench.receive() == Publish("topic", b"", retain=True)


def test_subscribe_and_unsubscribe(bench: Bench) -> None:
    bench.connected()
    _, mid = bench.client.subscribe([("a/#", 1), ("b/+", 0)])
    assert bench.receive() == Subscribe(mid, (("a/#", 1), ("b/+", 0)))
    bench.send(SubAck(mid, (1, 0)))
    _, after = bench.client.unsubscribe(["a/#", "b/+"])
    assert bench.receive() == Unsubscribe(after, ("a/#", "b/+"))
    bench.send(UnsubAck(after))
    assert bench.heard == [(mid, (1, 0)), ("unsubscribed", after)]


def test_messages_for_the_client(bench: Bench) -> None:
    bench.connected()
    bench.send(Publish("täst/topic", b"body", 1, 77, dup=True))
    (message,) = bench.heard
    assert isinstance(message, paho.MQTTMessage)
    assert (message.topic, message.payload, message.qos, message.mid, message.dup) == ("täst/topic", b"body", 1, 77, 1)
    assert bench.receive() == PubAck(77)


def test_disconnect(bench: Bench) -> None:
    bench.connected()
    bench.client.disconnect()
    assert bench.receive() == Disconnect()
