"""What goes to the cloud, for those who watch."""

from edge_simulator.hub.monitor import Monitor

BACKLOG = 10_000


def test_every_listener_hears_what_happens_while_it_listens() -> None:
    monitor = Monitor()
    monitor.reported("m", {"before": 1})
    with monitor.listen() as one, monitor.listen() as other:
        monitor.reported("m", {"during": 1})
        for events in (one, other):
            assert events.get_nowait() == {"kind": "reported", "module": "m", "patch": {"during": 1}}
    monitor.reported("m", {"after": 1})
    assert one.empty()


def test_a_listener_that_falls_behind_is_let_go() -> None:
    monitor = Monitor()
    with monitor.listen() as slow, monitor.listen() as quick:
        for number in range(BACKLOG + 2):
            monitor.reported("m", {"n": number})
            quick.get_nowait()
        assert slow.qsize() == BACKLOG + 2
        assert [slow.get_nowait() for _ in range(BACKLOG + 2)][-1] is None


def test_the_end_lets_everybody_go() -> None:
    monitor = Monitor()
    with monitor.listen() as events:
        monitor.close()
        assert events.get_nowait() is None
