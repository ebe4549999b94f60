"""What goes wrong on purpose: which faults there are, when they end, and what they do to modules."""

import pytest

from edge_simulator.errors import FaultError
from edge_simulator.faults import AREAS, LONGEST_S, Faults, Lane
from edge_simulator.mqtt.packets import ConnAck, PubAck, Publish, Subscribe
from edge_simulator.store.queue import UPSTREAM_MODULE
from support.loops import leap
from support.mqtt import Client, Clock, HubBench, sent_by

DELAY_S = 60


def _bodies(client: Client) -> list[bytes]:
    return [packet.payload for packet in client.take() if isinstance(packet, Publish)]


# --- the model --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "effect"),
    [(area, effect) for area, effects in AREAS.items() for effect in effects],
)
def test_every_fault_is_listed_and_ends_by_itself(area: str, effect: str) -> None:
    clock = Clock()
    faults = Faults(clock)
    faults.inject(area, "m", effect, 10, 1 if effect == "delay" else 0)
    clock.now += 4
    faults.lift_ended()
    [(fault, left_s)] = faults.active()
    assert (fault.area, fault.target, fault.effect, left_s) == (area, "m", effect, 6)
    clock.now += 6
    faults.lift_ended()
    assert faults.active() == []


@pytest.mark.parametrize(
    ("area", "effect", "lasts_s", "delay_s"),
    [
        ("link", "down", 1, 0),
        ("weather", "bad", 1, 0),
        ("link", "drop", 0, 0),
        ("link", "drop", LONGEST_S + 1, 0),
        ("link", "drop", float("nan"), 0),
        ("link", "drop", 1, 1),
        ("acks", "delay", 1, 0),
        ("acks", "delay", 1, float("nan")),
    ],
)
def test_what_is_no_fault_or_has_no_end_is_refused(area: str, effect: str, lasts_s: float, delay_s: float) -> None:
    with pytest.raises(FaultError):
        Faults().inject(area, "m", effect, lasts_s, delay_s)


def test_who_watches_an_area_hears_of_each_beginning_and_end() -> None:
    faults, heard = Faults(Clock()), list[str | None]()
    faults.watch("link", lambda module: heard.append(faults.link(module)))
    faults.inject("twin", "m", "miss", 10)
    faults.inject("link", "m", "drop", 10)
    faults.inject("link", "m", "reject", 10)
    faults.lift("link", "m")
    faults.lift("link", "m")
    assert heard == ["drop", "reject", None]


async def test_a_lane_keeps_the_order_whatever_the_delays() -> None:
    lane, done = Lane(), list[int]()
    for number, delay_s in enumerate((0, 2 * DELAY_S, DELAY_S, 0)):
        lane.put(lambda number=number: done.append(number), delay_s)  # type: ignore[misc]
    await leap(DELAY_S)
    assert done == [0]
    await leap(DELAY_S)
    assert done == [0, 1, 2, 3]
    lane.put(lambda: done.append(4), 0)
    assert done == [0, 1, 2, 3, 4]


# --- what they do -----------------------------------------------------------------------------------------------------


async def test_while_the_cloud_is_away_messages_for_it_wait(bench: HubBench) -> None:
    src = bench.connect("src")
    bench.faults.inject("upstream", "", "down", 60)
    with bench.hub.monitor.listen() as events:
        src.send(sent_by("src", b"", bag="%24.on=up"))
        await bench.settle()
        assert events.empty()
        bench.faults.lift("upstream")
        assert events.get_nowait() is not None


async def test_while_the_cloud_is_away_modules_go_on_among_themselves(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    bench.faults.inject("upstream", "", "down", 60)
    src.send(sent_by("src", b"held", packet_id=1, bag="%24.on=up"), sent_by("src", b"on its way", packet_id=2))
    await bench.settle()
    assert [packet for packet in src.take() if isinstance(packet, PubAck)] == [PubAck(1), PubAck(2)]
    assert _bodies(dst) == [b"on its way"]
    assert bench.hub.queued()[UPSTREAM_MODULE, ""] == 1


async def test_a_dropped_link_takes_nothing_in_and_lets_nothing_out(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    bench.faults.inject("link", "dst", "drop", 60)
    dst.connection.follow_link()
    late = bench.connect("dst")
    src.send(sent_by("src", b"1"))
    await bench.settle()
    assert (dst.take(), late.take()) == ([], [])
    bench.faults.lift("link", "dst")
    dst.connection.follow_link()
    assert _bodies(dst) == [b"1"]
    late.connection.follow_link()
    assert isinstance(late.take()[0], ConnAck)


async def test_a_link_that_rejects_resets_who_connects(bench: HubBench) -> None:
    bench.faults.inject("link", "dst", "reject", 60)
    assert bench.connect("dst").wire.closed
    assert not bench.connect("src").wire.closed


async def test_withheld_acknowledgements_make_duplicates(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.take()
    bench.faults.inject("acks", "src", "withhold", 60)
    src.send(sent_by("src", b"1"))
    await bench.settle()
    assert src.take() == []
    bench.faults.lift("acks", "src")
    assert src.wire.closed
    again = bench.connect("src")
    again.send(sent_by("src", b"1", dup=True))
    await bench.settle()
    assert PubAck(1) in again.take()
    assert _bodies(dst) == [b"1", b"1"]


async def test_acknowledgements_of_a_module_are_lost_too(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    bench.faults.inject("acks", "dst", "withhold", 60)
    src.send(sent_by("src", b"1"))
    await bench.settle()
    dst.send(PubAck(1))
    bench.faults.lift("acks", "dst")
    assert dst.wire.closed
    dst.lose()
    [message] = [packet for packet in bench.connect("dst").take() if isinstance(packet, Publish)]
    assert (message.payload, message.dup) == (b"1", True)


async def test_a_connection_without_doubt_outlives_the_fault(bench: HubBench) -> None:
    src = bench.connect("src")
    bench.faults.inject("acks", "src", "withhold", 60)
    bench.faults.lift("acks", "src")
    assert not src.wire.closed


async def test_delayed_acknowledgements_come_late_and_in_order(bench: HubBench) -> None:
    src = bench.connect("src")
    src.take()
    bench.faults.inject("acks", "src", "delay", 60, DELAY_S)
    src.send(sent_by("src", b"", packet_id=1))
    await bench.settle()
    bench.faults.lift("acks", "src")
    src.send(sent_by("src", b"", packet_id=2))
    await bench.settle()
    assert src.take() == []
    await leap(DELAY_S)
    assert src.take() == [PubAck(1), PubAck(2)]


async def test_delayed_messages_come_late_and_in_order(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    bench.faults.inject("messages", "dst", "delay", 60, DELAY_S)
    for number in range(3):
        src.send(sent_by("src", b"%d" % number))
        await bench.settle()
        bench.faults.lift("messages", "dst")
    assert _bodies(dst) == []
    await leap(DELAY_S)
    assert _bodies(dst) == [b"0", b"1", b"2"]


@pytest.mark.parametrize(("effect", "copies"), [("duplicate", 2), ("expire", 0)])
async def test_messages_are_stored_twice_or_expire(bench: HubBench, effect: str, copies: int) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    bench.faults.inject("messages", "dst", effect, 60)
    src.send(sent_by("src", b"1"))
    await bench.settle()
    bench.faults.lift("messages", "dst")
    src.send(sent_by("src", b"2"))
    await bench.settle()
    assert _bodies(dst) == [b"1"] * copies + [b"2"]
    assert PubAck(1) in src.take()


async def test_a_missed_twin_patch_is_seen_at_the_next_look(bench: HubBench) -> None:
    dst = bench.connect("dst")
    dst.send(Subscribe(1, (("$iothub/twin/PATCH/properties/desired/#", 1), ("$iothub/twin/res/#", 1))))
    await bench.settle()
    dst.take()
    bench.faults.inject("twin", "dst", "miss", 60)
    version = bench.hub.set_desired("dst", {"a": 1})
    await bench.settle()
    assert dst.take() == []
    bench.faults.lift("twin", "dst")
    bench.hub.set_desired("dst", {"b": 2})
    await bench.settle()
    assert _bodies(dst) == [b'{"b": 2, "$version": %d}' % (version + 1)]
    dst.send(Publish("$iothub/twin/GET/?$rid=1", b" ", 1, 2))
    assert b'"a": 1' in _bodies(dst)[0]
