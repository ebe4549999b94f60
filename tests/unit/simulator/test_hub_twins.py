"""Twins as modules see them."""

import json
from typing import Any

import pytest

from edge_simulator.errors import TwinError, UnknownModuleError
from edge_simulator.mqtt.packets import Publish, Subscribe
from support.mqtt import Client, HubBench

RESPONSES = "$iothub/twin/res/#"
PATCHES = "$iothub/twin/PATCH/properties/desired/#"


def _client(bench: HubBench, *filters: str) -> Client:
    client = bench.connect("src")
    if filters:
        client.send(Subscribe(1, tuple((name, 1) for name in filters)))
    bench.database.commit()
    client.take()
    return client


def _ask(client: Client) -> None:
    client.send(Publish("$iothub/twin/GET/?$rid=r%201", b" ", 1, 2))


def _report(client: Client, patch: Any, rid: str = "?$rid=7") -> None:
    payload = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
    client.send(Publish(f"$iothub/twin/PATCH/properties/reported/{rid}", payload, 1, 3))


def _published(client: Client) -> list[tuple[str, Any]]:
    publishes = [packet for packet in client.take() if isinstance(packet, Publish)]
    return [(packet.topic, json.loads(packet.payload or b"null")) for packet in publishes]


async def test_a_module_reads_its_twin(bench: HubBench) -> None:
    bench.hub.add_module("src", {"a": 1})
    client = _client(bench, RESPONSES)
    bench.hub.set_desired("src", {"b": {"c": 2}})
    _ask(client)
    await bench.settle()
    twin = {"desired": {"a": 1, "b": {"c": 2}, "$version": 3}, "reported": {"$version": 1}}
    assert _published(client) == [("$iothub/twin/res/200/?$rid=r%201", twin)]


async def test_without_a_subscription_there_is_no_answer(bench: HubBench) -> None:
    client = _client(bench, PATCHES)
    _ask(client)
    _report(client, {"a": 1})
    await bench.settle()
    assert _published(client) == []


async def test_reported_properties_merge(bench: HubBench) -> None:
    client = _client(bench, RESPONSES)
    _report(client, {"a": 1, "b": {"c": 2, "d": 3}})
    _report(client, {"a": None, "b": {"c": None}})
    await bench.settle()
    assert _published(client) == [("$iothub/twin/res/204/?$rid=7", None)] * 2
    assert bench.hub.twins.get("src").reported == {"b": {"d": 3}}
    assert bench.hub.twins.get("src").reported_version == 3


async def test_a_report_is_answered_once_it_is_stored(bench: HubBench) -> None:
    client = _client(bench, RESPONSES)
    _report(client, {"a": 1})
    assert _published(client) == []
    bench.database.commit()
    assert _published(client) == [("$iothub/twin/res/204/?$rid=7", None)]
    bench.database.close()
    bench.start()
    assert bench.hub.twins.get("src").reported == {"a": 1}


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"a": "\\ud800"}',
        {"a.b": 1},
        {"a": "x" * 4097},
    ],
)
async def test_reports_over_the_limits_are_refused(bench: HubBench, patch: Any) -> None:
    client = _client(bench, RESPONSES)
    _report(client, patch)
    await bench.settle()
    assert _published(client) == [("$iothub/twin/res/400/?$rid=7", None)]
    assert bench.hub.twins.get("src").reported_version == 1


async def test_reports_may_not_grow_over_32_kib(bench: HubBench) -> None:
    client = _client(bench, RESPONSES)
    for number in range(9):
        _report(client, {f"p{number}": "x" * 4000})
    await bench.settle()
    assert [topic for topic, _ in _published(client)][-2:] == [
        "$iothub/twin/res/204/?$rid=7",
        "$iothub/twin/res/400/?$rid=7",
    ]


async def test_a_report_without_a_request_id_is_taken_silently(bench: HubBench) -> None:
    client = _client(bench, RESPONSES)
    _report(client, {"a": 1}, rid="")
    await bench.settle()
    assert _published(client) == []
    assert bench.hub.twins.get("src").reported == {"a": 1}


async def test_a_report_is_a_message_for_those_routed_to(bench: HubBench) -> None:
    dst = bench.listening("dst")
    _report(_client(bench), {"a": {"b": None}})
    await bench.settle()
    topic = "devices/edge/modules/dst/inputs/twins/%24.cdid=edge&%24.cmid=src&%24.ct=application%2Fjson&%24.ce=utf-8"
    assert _published(dst) == [(topic, {"a": {"b": None}})]


async def test_whoever_watches_sees_the_patch_with_its_nulls(bench: HubBench) -> None:
    with bench.hub.monitor.listen() as events:
        _report(_client(bench), {"a": {"b": None}})
        assert events.get_nowait() == {"kind": "reported", "module": "src", "patch": {"a": {"b": None}}}


async def test_a_change_of_desired_properties_is_pushed(bench: HubBench) -> None:
    client = _client(bench, PATCHES)
    assert bench.hub.set_desired("src", {"a": {"b": 1}, "c": None}) == 2
    assert _published(client) == []
    await bench.settle()
    patch = {"a": {"b": 1}, "c": None, "$version": 2}
    assert _published(client) == [("$iothub/twin/PATCH/properties/desired/?$version=2", patch)]


async def test_nothing_is_pushed_to_those_who_did_not_ask(bench: HubBench) -> None:
    client = _client(bench, RESPONSES)
    bench.hub.set_desired("src", {"a": 1})
    await bench.settle()
    assert _published(client) == []


@pytest.mark.parametrize("patch", [{"a b": 1}, {f"p{number}": "x" * 4000 for number in range(9)}, 1])
async def test_desired_properties_have_limits_too(bench: HubBench, patch: Any) -> None:
    with pytest.raises(TwinError):
        bench.hub.set_desired("src", patch)
    assert bench.hub.twins.get("src").desired_version == 1


async def test_an_unknown_module_has_no_twin(bench: HubBench) -> None:
    with pytest.raises(UnknownModuleError, match="known are \\$edgeHub, dst, src"):
        bench.hub.set_desired("nobody", {})


async def test_edits_outlive_a_restart_with_the_same_deployment(bench: HubBench) -> None:
    bench.hub.add_module("src", {"a": 1})
    bench.hub.set_desired("src", {"a": 2})
    bench.hub.add_module("src", {"a": 1})
    assert bench.hub.twins.get("src").desired == {"a": 2}


async def test_a_changed_deployment_replaces_them(bench: HubBench) -> None:
    bench.hub.add_module("src", {"a": 1})
    bench.hub.set_desired("src", {"a": 2, "c": 3})
    bench.hub.add_module("src", {"b": 1})
    twin = bench.hub.twins.get("src")
    assert (twin.desired, twin.desired_version) == ({"b": 1}, 4)
