"""The state folder, and the sockets that may not fit in it."""

from pathlib import Path

import pytest

from edge_simulator import address
from edge_simulator.errors import AddressUnavailableError, StateInUseError
from edge_simulator.state import State

LONGEST = 107


def test_one_simulator_at_a_time(tmp_path: Path) -> None:
    first, second = State(tmp_path / "state"), State(tmp_path / "state")
    with first.claim(), pytest.raises(StateInUseError, match="another simulator runs"), second.claim():
        pass
    with State(tmp_path / "state").claim():
        pass


def test_sockets_lie_in_the_folder(tmp_path: Path) -> None:
    state = State(tmp_path)
    with state.claim():
        assert state.control_socket == tmp_path / "sockets" / "control.sock"
        assert state.workload_socket.parent.is_dir()
    assert not (tmp_path / "sockets").exists()


def test_a_long_path_has_its_sockets_elsewhere(tmp_path: Path) -> None:
    state = State(tmp_path / ("long" * 30))
    with state.claim():
        folder = state.control_socket.parent
        assert len(bytes(state.workload_socket)) <= LONGEST
        assert folder.is_dir()
        assert State(state.root).control_socket == state.control_socket
    assert not folder.exists()


@pytest.mark.parametrize("name", ["short", "long" * 30])
def test_sockets_of_a_killed_simulator_are_no_hindrance(tmp_path: Path, name: str) -> None:
    killed = State(tmp_path / name)
    killed.root.mkdir()
    killed._make_sockets()
    killed.control_socket.touch()
    folder = killed.control_socket.parent
    with State(tmp_path / name).claim():
        assert killed.control_socket.parent == folder
    assert not folder.exists()


def test_the_secret_stays(tmp_path: Path) -> None:
    secret = State(tmp_path).secret()
    assert len(secret) == 32
    assert State(tmp_path).secret() == secret
    assert (tmp_path / "device.key").stat().st_mode & 0o077 == 0


def test_the_last_address_is_remembered(tmp_path: Path) -> None:
    assert State(tmp_path).last_address() is None
    State(tmp_path).remember_address("127.0.0.9")
    assert State(tmp_path).last_address() == "127.0.0.9"


def test_every_simulator_has_an_address_of_its_own() -> None:
    with address.listen(None) as first, address.listen(None) as second:
        hosts = {listener.getsockname()[0] for listener in (first, second)}
        assert len(hosts) == 2
        assert all(host.startswith("127.0.0.") and host != "127.0.0.1" for host in hosts)


def test_the_preferred_address_is_taken_if_it_is_free() -> None:
    with address.listen("127.0.0.200") as first, address.listen("127.0.0.200") as second:
        assert first.getsockname()[0] == "127.0.0.200"
        assert second.getsockname()[0] != "127.0.0.200"


@pytest.mark.parametrize("wanted", ["127.0.0.201", "192.0.2.1"])
def test_an_address_that_must_be_is_taken_or_refused(wanted: str) -> None:
    with address.listen_on("127.0.0.201"), pytest.raises(AddressUnavailableError, match=wanted):
        address.listen_on(wanted)
