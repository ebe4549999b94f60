"""Nothing that is sent waits for an acknowledgement of what was sent before."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from edge_common.nodelay import DESCRIPTORS, send_at_once


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["IPv4", "IPv6"])
def connection(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    family, address = request.param
    with ExitStack() as open_ones:
        try:
            listener = open_ones.enter_context(socket.create_server((address, 0), family=family))
        except OSError as error:
            pytest.skip(f"this machine has no {address}: {error}")
        yield open_ones.enter_context(socket.create_connection(listener.getsockname()[:2]))


def no_delay(connection: socket.socket) -> int:
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_connection_sends_at_once(connection: socket.socket) -> None:
    assert not no_delay(connection)
    send_at_once()
    assert no_delay(connection)


def test_other_descriptors_are_left_alone_and_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, ExitStack() as rest:
        pair = [rest.enter_context(each) for each in socket.socketpair()]
        reading, writing = os.pipe()
        rest.callback(os.close, reading)
        rest.callback(os.close, writing)
        before = set(DESCRIPTORS.iterdir())
        send_at_once()
        assert set(DESCRIPTORS.iterdir()) == before
        pair[0].send(b"still there")
        assert pair[1].recv(100) == b"still there"
        assert datagrams.fileno() >= 0
