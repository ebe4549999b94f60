"""The hub as modules see it: routes, queues, acknowledgements, sessions."""

from pathlib import Path

import pytest

from edge_simulator.hub.session import ACK_TIMEOUT_S, WINDOW
from edge_simulator.mqtt.packets import ConnAck, PubAck, Publish, ReturnCode, SubAck, Subscribe, UnsubAck, Unsubscribe
from edge_simulator.routing import RouteError
from edge_simulator.sas import CLOCK_SKEW_S
from support.mqtt import TOKEN_LIFE_S, Client, HubBench, sent_by

INPUTS = "devices/edge/modules/dst/inputs/#"
TOPIC = "devices/edge/modules/dst/inputs/i/%24.cdid=edge&%24.cmid=src"


def _messages(client: Client) -> list[Publish]:
    return [packet for packet in client.take() if isinstance(packet, Publish)]


async def test_a_message_follows_its_route(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"body", bag="%24.on=o&%24.mid=7&k=v"))
    await bench.settle()
    assert dst.take() == [Publish(TOPIC.replace("/i/", "/i/k=v&%24.mid=7&"), b"body", 1, 1)]


async def test_a_message_is_acknowledged_once_it_is_stored(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.take()
    src.send(sent_by("src", b"", packet_id=5), sent_by("src", b"", packet_id=6))
    assert (src.take(), dst.take()) == ([], [])
    bench.database.commit()
    assert src.take() == [PubAck(5), PubAck(6)]


@pytest.mark.parametrize(
    "packet",
    [
        sent_by("src", b"", packet_id=9, bag="%24.on=nowhere"),
        Publish("$iothub/unknown", b"", 1, 9),
        Publish("devices/edge/modules/other/messages/events/%24.on=o", b"", 1, 9),
        Publish("devices/edge/modules/src/messages/eventsmore/%24.on=o", b"", 1, 9),
        Publish("devices/edge/modules/src/messages/events", b"", 1, 9),
        Publish("$iothub/twin/GET/", b"", 1, 9),
        sent_by("src", b"x" * 262_060, packet_id=9, bag="$.on=o&$.exp=1&$.ifid=1"),
    ],
)
async def test_what_leads_nowhere_is_acknowledged_and_dropped(bench: HubBench, packet: Publish) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.take()
    src.send(packet)
    await bench.settle()
    assert src.take() == [PubAck(9)]
    assert dst.take() == []


async def test_qos_0_gets_no_acknowledgement_but_is_delivered(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.take()
    src.send(Publish("devices/edge/modules/src/messages/events/%24.on=o/", b"body"))
    await bench.settle()
    assert src.take() == []
    assert _messages(dst) == [Publish(TOPIC, b"body", 1, 1)]


async def test_messages_wait_for_an_absent_module(bench: HubBench) -> None:
    src = bench.connect("src")
    for number in range(3):
        src.send(sent_by("src", b"%d" % number))
    await bench.settle()
    assert bench.hub.queued() == {("dst", "i"): 3}
    assert [message.payload for message in _messages(await _subscribed(bench))] == [b"0", b"1", b"2"]


async def _subscribed(bench: HubBench) -> Client:
    """Return a client that has just subscribed, with all that came of it."""
    dst = bench.connect("dst")
    dst.send(Subscribe(1, ((INPUTS, 1),)))
    await bench.settle()
    return dst


async def test_a_subscription_is_answered_before_messages_come(bench: HubBench) -> None:
    bench.connect("src").send(sent_by("src", b""))
    await bench.settle()
    accepted = ConnAck(session_present=False, code=ReturnCode.ACCEPTED)
    assert (await _subscribed(bench)).take() == [accepted, SubAck(1, (1,)), Publish(TOPIC, b"", 1, 1)]


async def test_qos_2_is_granted_as_1(bench: HubBench) -> None:
    dst = bench.connect("dst")
    dst.take()
    dst.send(Subscribe(3, ((INPUTS, 2), ("whatever", 0))))
    await bench.settle()
    assert dst.take() == [SubAck(3, (1, 0))]


async def test_an_acknowledged_message_is_gone(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b""))
    await bench.settle()
    dst.send(PubAck(_messages(dst)[0].packet_id), PubAck(999))
    assert bench.hub.queued() == {}


async def test_a_window_bounds_what_is_under_way(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    for number in range(WINDOW * 2):
        src.send(sent_by("src", b"%d" % number))
    await bench.settle()
    arrived = _messages(dst)
    assert len(arrived) == WINDOW
    while arrived:
        dst.send(PubAck(arrived.pop(0).packet_id))
        arrived += _messages(dst)
        assert len(arrived) <= WINDOW
    assert bench.hub.queued() == {}


async def test_order_is_kept_through_the_window(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    expected = [b"%d" % number for number in range(300)]
    for body in expected:
        src.send(sent_by("src", body))
    await bench.settle()
    bodies = []
    while arrived := _messages(dst):
        bodies += [message.payload for message in arrived]
        dst.send(*(PubAck(message.packet_id) for message in arrived))
    assert bodies == expected


async def test_a_higher_priority_overtakes_what_waits(tmp_path: Path) -> None:
    def to_dst(source: str, priority: int) -> dict[str, object]:
        route = f'FROM /messages/modules/src/outputs/{source} INTO BrokeredEndpoint("/modules/dst/inputs/i")'
        return {"route": route, "priority": priority}

    bench = HubBench(tmp_path / "hub.sqlite", {"low": to_dst("low", 9), "high": to_dst("high", 0)})
    src = bench.connect("src")
    for output in ("low", "low", "high"):
        src.send(sent_by("src", output.encode(), bag=f"%24.on={output}"))
    await bench.settle()
    assert [message.payload for message in _messages(await _subscribed(bench))] == [b"high", b"low", b"low"]
    bench.database.close()


async def test_expired_messages_are_not_delivered(bench: HubBench) -> None:
    bench.connect("src").send(sent_by("src", b"old"))
    await bench.settle()
    bench.clock.now += bench.ttl_s
    assert _messages(await _subscribed(bench)) == []
    bench.hub.remove_expired()
    assert bench.hub.queued() == {}


async def test_unacknowledged_messages_come_again_after_a_reconnect(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"1"), sent_by("src", b"2"))
    await bench.settle()
    first, second = _messages(dst)
    dst.send(PubAck(first.packet_id))
    dst.lose()
    again = bench.connect("dst")
    assert again.take() == [
        ConnAck(session_present=True, code=ReturnCode.ACCEPTED),
        Publish(TOPIC, b"2", 1, second.packet_id, dup=True),
    ]


async def test_unacknowledged_messages_come_again_after_the_timeout(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"body"))
    await bench.settle()
    dst.take()
    bench.clock.now += ACK_TIMEOUT_S - 1
    bench.hub.resend_overdue()
    assert dst.take() == []
    bench.clock.now += 1
    bench.hub.resend_overdue()
    bench.hub.resend_overdue()
    assert dst.take() == [Publish(TOPIC, b"body", 1, 1, dup=True)]


async def test_nobody_subscribes_again_after_a_reconnect(bench: HubBench) -> None:
    bench.listening("dst").lose()
    dst = bench.connect("dst")
    assert dst.take() == [ConnAck(session_present=True, code=ReturnCode.ACCEPTED)]
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    assert [message.payload for message in _messages(dst)] == [b"body"]


async def test_nor_after_a_restart_of_the_hub(bench: HubBench) -> None:
    bench.listening("dst")
    bench.connect("src").send(sent_by("src", b"body"))
    bench.database.close()
    bench.start()
    assert [message.payload for message in _messages(bench.connect("dst"))] == [b"body"]


async def test_a_clean_session_starts_and_leaves_nothing(bench: HubBench) -> None:
    bench.listening("dst").lose()
    clean = bench.connect("dst", clean_session=True)
    clean.send(Subscribe(1, ((INPUTS, 1),)))
    await bench.settle()
    assert clean.take() == [ConnAck(session_present=False, code=ReturnCode.ACCEPTED), SubAck(1, (1,))]
    clean.lose()
    assert bench.connect("dst").take() == [ConnAck(session_present=False, code=ReturnCode.ACCEPTED)]


async def test_a_clean_session_still_gets_what_is_queued(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"body"))
    await bench.settle()
    dst.lose()
    clean = bench.connect("dst", clean_session=True)
    clean.send(Subscribe(1, ((INPUTS, 1),)))
    await bench.settle()
    assert [(message.payload, message.dup) for message in _messages(clean)] == [(b"body", False)]


async def test_an_unsubscribed_module_gets_nothing(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    dst.send(Unsubscribe(2, (INPUTS, "never subscribed")))
    src.send(sent_by("src", b"body"))
    await bench.settle()
    assert dst.take() == [UnsubAck(2)]
    assert bench.hub.queued() == {("dst", "i"): 1}


async def test_qos_0_subscribers_are_not_waited_for(bench: HubBench) -> None:
    dst = bench.connect("dst")
    dst.send(Subscribe(1, ((INPUTS, 0),)))
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    assert _messages(dst) == [Publish(TOPIC, b"body")]
    assert bench.hub.queued() == {}


async def test_a_second_connection_takes_over(bench: HubBench) -> None:
    first = bench.listening("dst")
    second = bench.connect("dst")
    assert first.wire.closed
    first.lose()
    assert bench.hub.connected() == ["dst"]
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    assert [message.payload for message in _messages(second)] == [b"body"]


async def test_acknowledgements_stay_with_their_connection(bench: HubBench) -> None:
    bench.connect("src").send(sent_by("src", b"", packet_id=4))
    again = bench.connect("src")
    again.take()
    bench.database.commit()
    assert again.take() == []


async def test_a_connection_lasts_no_longer_than_its_token(bench: HubBench) -> None:
    src = bench.connect("src")
    bench.clock.now += TOKEN_LIFE_S + CLOCK_SKEW_S
    dst = bench.connect("dst")
    bench.hub.close_expired()
    assert not src.wire.closed
    bench.clock.now += 1
    bench.hub.close_expired()
    assert (src.wire.closed, dst.wire.closed) == (True, False)
    assert ConnAck(session_present=False, code=ReturnCode.ACCEPTED) in bench.connect("src").take()


async def test_a_stranger_is_refused(bench: HubBench) -> None:
    stranger = bench.connect("stranger")
    assert stranger.take() == [ConnAck(session_present=False, code=ReturnCode.NOT_AUTHORIZED)]


async def test_properties_that_fit_in_no_topic_are_dropped_and_block_nothing(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"large", bag="%24.on=o&p=" + "/" * 30_000 + "x"), sent_by("src", b"after"))
    await bench.settle()
    assert [message.payload for message in _messages(dst)] == [b"after"]
    assert bench.hub.queued() == {("dst", "i"): 1}


async def test_packet_ids_go_round_and_pass_over_those_in_use(bench: HubBench) -> None:
    src, dst = bench.connect("src"), bench.listening("dst")
    src.send(sent_by("src", b"in use"))
    await bench.settle()
    bench.hub._sessions["dst"]._last_packet_id = 65_534
    src.send(sent_by("src", b""), sent_by("src", b""))
    await bench.settle()
    assert [message.packet_id for message in _messages(dst)] == [1, 65_535, 2]


async def test_messages_for_the_cloud_go_to_whoever_watches(bench: HubBench) -> None:
    src = bench.connect("src")
    src.send(sent_by("src", b"unseen", bag="%24.on=up"))
    await bench.settle()
    with bench.hub.monitor.listen() as events:
        src.send(sent_by("src", b"seen", bag="%24.on=up&%24.mid=7&k=v"))
        await bench.settle()
        assert events.get_nowait() == {
            "kind": "message",
            "messageId": "7",
            "properties": {"k": "v"},
            "systemProperties": {
                "outputName": "up",
                "messageId": "7",
                "connectionDeviceId": "edge",
                "connectionModuleId": "src",
            },
            "body": "c2Vlbg==",
        }
        assert events.empty()
    assert bench.hub.queued() == {}


async def test_routes_change_with_the_twin_of_the_hub(bench: HubBench) -> None:
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    bench.hub.set_desired("$edgeHub", {"routes": {"in": None}})
    assert bench.hub.queued() == {}
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    assert bench.hub.queued() == {}


async def test_bad_routes_leave_those_before_in_force(bench: HubBench) -> None:
    bench.hub.set_desired("$edgeHub", {"routes": {"in": "FROM nowhere"}})
    bench.connect("src").send(sent_by("src", b"body"))
    await bench.settle()
    assert bench.hub.queued() == {("dst", "i"): 1}


async def test_a_hub_does_not_start_on_bad_routes(tmp_path: Path) -> None:
    with pytest.raises(RouteError):
        HubBench(tmp_path / "hub.sqlite", {"bad": "FROM nowhere"})
