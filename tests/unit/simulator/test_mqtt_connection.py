"""A connection's life: who may speak when, for how long one may be silent, and what ends it."""

import pytest

from edge_simulator.mqtt.connection import CONNECT_TIMEOUT_S, MAX_PACKET_BYTES, Connection, RefusedError
from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.link import LinkState
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
    Unsubscribe,
)
from support.mqtt import Client, Clock


class FakeSession:
    """A session that writes down what it is told."""

    present = True

    def __init__(self) -> None:
        self.told: list[object] = []

    def attach(self, connection: Connection) -> None:
        self.told.append(("attach", connection))

    def detach(self, connection: Connection) -> None:
        self.told.append(("detach", connection))

    def publish(self, packet: Publish) -> None:
        self.told.append(packet)

    def acknowledge(self, packet_id: int) -> None:
        self.told.append(packet_id)

    def subscribe(self, packet: Subscribe) -> None:
        self.told.append(packet)

    def unsubscribe(self, packet: Unsubscribe) -> None:
        self.told.append(packet)


class FakeBroker:
    """A broker with one session, which refuses the client id `stranger`."""

    def __init__(self) -> None:
        self.session = FakeSession()
        self.state = LinkState.OPEN

    def link(self, client_id: str) -> LinkState:
        return self.state if client_id == "c" else LinkState.OPEN

    def open_session(self, packet: Connect) -> FakeSession:
        if packet.client_id == "stranger":
            raise RefusedError(ReturnCode.NOT_AUTHORIZED, "who?")
        return self.session


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def client(broker: FakeBroker) -> Client:
    return Client(broker)


def test_packets_go_to_the_session_in_order(client: Client, broker: FakeBroker) -> None:
    packets = (Publish("t", b"", 1, 5), Subscribe(6, (("a", 1),)), Unsubscribe(7, ("a",)))
    client.send(Connect("c"), *packets, PubAck(8), PingReq())
    assert client.take() == [ConnAck(session_present=True, code=ReturnCode.ACCEPTED), PingResp()]
    assert broker.session.told == [("attach", client.connection), *packets, 8]


@pytest.mark.parametrize("packet", [PingReq(), Publish("t", b""), Disconnect(), SubAck(1, (0,))])
def test_nothing_comes_before_connect(client: Client, broker: FakeBroker, packet: Packet) -> None:
    client.send(packet)
    assert client.wire.closed
    assert broker.session.told == []


@pytest.mark.parametrize("packet", [Connect("c"), ConnAck(session_present=False, code=ReturnCode.ACCEPTED), PingResp()])
def test_what_only_a_server_sends_ends_the_connection(client: Client, packet: Packet) -> None:
    client.send(Connect("c"), packet, PingReq())
    assert client.wire.closed
    assert PingResp() not in client.take()


def test_a_refused_client_is_told_why(client: Client, broker: FakeBroker) -> None:
    client.send(Connect("stranger"), PingReq())
    assert client.take() == [ConnAck(session_present=False, code=ReturnCode.NOT_AUTHORIZED)]
    assert client.wire.closed
    assert broker.session.told == []


def test_another_version_of_mqtt_is_told_so(client: Client) -> None:
    client.send_bytes(encode(Connect("c")).replace(b"MQTT\x04", b"MQTT\x05"))
    assert client.take() == [ConnAck(session_present=False, code=ReturnCode.UNACCEPTABLE_PROTOCOL)]
    assert client.wire.closed


def test_disconnect_ends_the_connection(client: Client, broker: FakeBroker) -> None:
    client.send(Connect("c"), Disconnect(), Publish("late", b""))
    assert client.wire.closed
    client.lose()
    assert broker.session.told == [("attach", client.connection), ("detach", client.connection)]


def test_malformed_bytes_end_one_connection_only(client: Client, broker: FakeBroker) -> None:
    other = Client(broker)
    other.send(Connect("other"))
    client.send(Connect("c"))
    client.send_bytes(b"\xff\x00")
    assert client.wire.closed
    other.send(PingReq())
    assert other.take()[-1] == PingResp()


def test_a_packet_over_the_limit_ends_the_connection(client: Client) -> None:
    client.send(Connect("c"))
    client.send(Publish("t", bytes(MAX_PACKET_BYTES - 3)))
    assert not client.wire.closed
    client.send(Publish("t", bytes(MAX_PACKET_BYTES - 2)))
    assert client.wire.closed


@pytest.mark.parametrize(("keep_alive", "patience_s"), [(60, 90), (1, 1.5), (0, 900), (1200, 900)])
def test_a_silent_client_is_cut_off(broker: FakeBroker, keep_alive: int, patience_s: float) -> None:
    clock = Clock()
    client = Client(broker, clock)
    client.send(Connect("c", keep_alive=keep_alive))
    clock.now += patience_s
    client.connection.close_if_silent(clock.now)
    assert not client.wire.closed
    client.connection.close_if_silent(clock.now + 0.1)
    assert client.wire.closed


def test_anything_heard_starts_the_patience_again(broker: FakeBroker) -> None:
    clock = Clock()
    client = Client(broker, clock)
    client.send(Connect("c", keep_alive=10))
    clock.now += 15
    client.send(PingReq())
    client.connection.close_if_silent(clock.now + 15)
    assert not client.wire.closed


def test_a_client_that_never_connects_is_cut_off(broker: FakeBroker) -> None:
    clock = Clock()
    client = Client(broker, clock)
    client.send_bytes(b"\x10")
    client.connection.close_if_silent(clock.now + CONNECT_TIMEOUT_S + 0.1)
    assert client.wire.closed


def test_nothing_is_written_after_the_end(client: Client) -> None:
    client.send(Connect("c"), Disconnect())
    client.take()
    client.connection.send(PingResp())
    assert client.take() == []


def test_the_server_knows_its_live_connections(client: Client) -> None:
    assert client.live == {client.connection}
    client.lose()
    assert client.live == set()


def test_a_cut_connection_is_silent_and_goes_on_where_it_was(client: Client, broker: FakeBroker) -> None:
    client.send(Connect("c"))
    client.take()
    broker.state = LinkState.SILENT
    client.connection.follow_link()
    assert client.wire.paused
    client.send(PubAck(1))
    client.connection.send(PingResp())
    assert client.take() == []
    assert 1 not in broker.session.told
    broker.state = LinkState.OPEN
    client.connection.follow_link()
    assert not client.wire.paused
    assert client.take() == [PingResp()]
    assert broker.session.told[-1] == 1


def test_a_cut_connection_is_cut_off_for_its_silence_only_once_it_is_mended(broker: FakeBroker) -> None:
    clock = Clock()
    client = Client(broker, clock)
    client.send(Connect("c", keep_alive=10))
    broker.state = LinkState.SILENT
    client.connection.follow_link()
    clock.now += 60
    client.connection.close_if_silent(clock.now)
    assert not client.wire.closed
    broker.state = LinkState.OPEN
    client.connection.follow_link()
    client.connection.close_if_silent(clock.now)
    assert client.wire.closed


def test_who_connects_over_a_cut_link_waits_for_it(client: Client, broker: FakeBroker) -> None:
    broker.state = LinkState.SILENT
    client.send(Connect("c"), PingReq())
    assert (client.take(), broker.session.told) == ([], [])
    broker.state = LinkState.OPEN
    client.connection.follow_link()
    assert client.take() == [ConnAck(session_present=True, code=ReturnCode.ACCEPTED), PingResp()]


def test_who_connects_over_a_link_that_rejects_is_reset(client: Client, broker: FakeBroker) -> None:
    broker.state = LinkState.REJECTING
    client.send(Connect("c"))
    assert client.wire.closed
    assert (client.take(), broker.session.told) == ([], [])


def test_a_cut_link_is_that_of_one_client(client: Client, broker: FakeBroker) -> None:
    other = Client(broker)
    other.send(Connect("other"))
    client.send(Connect("c"))
    broker.state = LinkState.SILENT
    for connection in (client.connection, other.connection, Client(broker).connection):
        connection.follow_link()
    other.send(PingReq())
    assert other.take()[-1] == PingResp()
