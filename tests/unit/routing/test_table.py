from typing import Any

import pytest

from edge_simulator.routing import UPSTREAM, Delivery, ModuleInput, RouteCompileError, RouteParseError, RouteTable
from support.routes import message

LOWEST = 2_000_000_000


def desired(routes: dict[str, Any], version: str = "1.1", ttl_s: int = 3600) -> dict[str, Any]:
    return {"schemaVersion": version, "routes": routes, "storeAndForwardConfiguration": {"timeToLiveSecs": ttl_s}}


def upstream(source: str) -> RouteTable:
    return RouteTable.from_desired(desired({"r": f"FROM {source} INTO $upstream"}))


@pytest.mark.parametrize(
    ("route", "taken"),
    [
        ("/*", True),
        ("/messages", True),
        ("/messages/*", True),
        ("/MESSAGES/Modules/M/*", True),
        ("/messages/modules/m", True),
        ("/messages/modules/m/outputs/*", True),
        ("/messages/modules/m/outputs/o", True),
        ("/messages/modules/m/outputs/o/*", True),
        ("/messages/modules/m/outputs/output", False),
        ("/messages/modules/mo/*", False),
        ("/mess", False),
        ("/messages/*/m", False),
        ("/twinChangeNotifications", False),
    ],
)
def test_a_source_is_compared_by_leading_segments(route: str, *, taken: bool) -> None:
    assert bool(upstream(route).deliveries(message(source="/messages/modules/m/outputs/o"))) is taken


@pytest.mark.parametrize(
    ("route", "source", "taken"),
    [
        ("/*", "/twinChangeNotifications", True),
        ("/messages/*", "/twinChangeNotifications", False),
        ("/twinchangenotifications", "/twinChangeNotifications", True),
        ("/messages/*", "/messages", True),
        ("/messages/events", "/messages", False),
        ("/messages/modules/m/outputs/o", "/messages/modules/m", False),
    ],
)
def test_other_sources(route: str, source: str, *, taken: bool) -> None:
    assert bool(upstream(route).deliveries(message(source=source))) is taken


def test_a_message_goes_once_to_each_endpoint_by_its_best_route() -> None:
    to_b = 'INTO BrokeredEndpoint("/modules/b/inputs/i")'
    table = RouteTable.from_desired(
        desired(
            {
                "plain": f"FROM /messages/* {to_b}",
                "late": {"route": f"FROM /messages/modules/m/* {to_b}", "priority": 7, "timeToLiveSecs": 70},
                "soon": {"route": f"FROM /* WHERE kind = 'x' {to_b}", "priority": 2, "timeToLiveSecs": 20},
                "never": {"route": f"FROM /* WHERE kind = 'y' {to_b}", "priority": 0},
                "up": "FROM /* INTO $upstream",
                "also": {"route": "FROM /* INTO $UPSTREAM", "timeToLiveSecs": 5},
            }
        )
    )
    b, up = ModuleInput("b", "i"), Delivery(UPSTREAM, LOWEST, None)
    assert set(table.deliveries(message(properties={"kind": "x"}))) == {Delivery(b, 2, 20), up}
    assert set(table.deliveries(message())) == {Delivery(b, 7, 70), up}
    assert table.endpoints == {b, UPSTREAM}


def test_no_route_no_delivery() -> None:
    for routes in ({}, {"r": "FROM /* WHERE none = 'x' INTO $upstream"}):
        assert RouteTable.from_desired(desired(routes)).deliveries(message()) == []


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3", "1.1.0", "1.3.0.0"])
def test_schema_versions(version: str) -> None:
    table = RouteTable.from_desired(desired({"r": "FROM /* INTO $upstream"}, version))
    assert table.deliveries(message()) == [Delivery(UPSTREAM, LOWEST, None)]


@pytest.mark.parametrize("version", ["1", "0.1", "1.4", "2.0", "", "one", "1.1.0.0.0", None])
def test_schema_versions_that_are_refused(version: Any) -> None:
    with pytest.raises(RouteParseError, match="schemaVersion"):
        RouteTable.from_desired(desired({}, version))


def test_schema_1_0_skips_blank_routes_and_refuses_objects() -> None:
    assert RouteTable.from_desired(desired({"r": " "}, "1.0")).endpoints == frozenset()
    with pytest.raises(RouteParseError, match=r"route r: .*1\.1"):
        RouteTable.from_desired(desired({"r": {"route": "FROM /* INTO $upstream"}}, "1.0"))


@pytest.mark.parametrize(
    ("route", "match"),
    [
        ("", "missing"),
        (5, "must be a string or an object"),
        (None, "must be a string or an object"),
        (["FROM /* INTO $upstream"], "must be a string or an object"),
        ({}, "missing"),
        ({"route": " "}, "missing"),
        ({"route": 5}, "missing"),
        ({"route": "FROM /* INTO $upstream", "priority": 10}, "priority 10"),
        ({"route": "FROM /* INTO $upstream", "priority": -1}, "priority -1"),
        ({"route": "FROM /* INTO $upstream", "priority": True}, "priority True"),
        ({"route": "FROM /* INTO $upstream", "priority": "1"}, "priority '1'"),
        ({"route": "FROM /* INTO $upstream", "priority": 1.0}, "priority 1.0"),
        ({"route": "FROM /* INTO $upstream", "timeToLiveSecs": -1}, "timeToLiveSecs -1"),
        ({"route": "FROM /* INTO $upstream", "timeToLiveSecs": 2**32}, "timeToLiveSecs"),
        ({"route": "FROM /* INTO $upstream", "timeToLiveSecs": 1.5}, "timeToLiveSecs"),
        ("FROM /* INTO nowhere", "expected"),
    ],
)
def test_routes_that_are_refused_by_name(route: Any, match: str) -> None:
    with pytest.raises(RouteParseError, match=f"^route r: .*{match}") as caught:
        RouteTable.from_desired(desired({"r": route}))
    assert caught.value.route == "r"


def test_a_route_needs_a_name() -> None:
    with pytest.raises(RouteParseError, match="without a name"):
        RouteTable.from_desired(desired({" ": "FROM /* INTO $upstream"}))


@pytest.mark.parametrize("priority", [*range(10), LOWEST])
def test_priorities(priority: int) -> None:
    table = RouteTable.from_desired(desired({"r": {"route": "FROM /* INTO $upstream", "priority": priority}}))
    assert table.deliveries(message()) == [Delivery(UPSTREAM, priority, None)]


def test_a_time_to_live_of_zero_is_the_global_one() -> None:
    table = RouteTable.from_desired(desired({"r": {"route": "FROM /* INTO $upstream", "timeToLiveSecs": 0}}, ttl_s=-1))
    assert table.deliveries(message()) == [Delivery(UPSTREAM, LOWEST, None)]
    assert table.time_to_live_s == -1


def test_the_global_time_to_live_has_a_default() -> None:
    assert RouteTable.from_desired({**desired({}), "storeAndForwardConfiguration": {}}).time_to_live_s == 7200


@pytest.mark.parametrize("missing", ["routes", "storeAndForwardConfiguration", "schemaVersion"])
def test_what_a_configuration_must_have(missing: str) -> None:
    configuration = desired({})
    del configuration[missing]
    with pytest.raises(RouteParseError, match=missing):
        RouteTable.from_desired(configuration)


def test_the_global_time_to_live_is_an_integer() -> None:
    with pytest.raises(RouteParseError, match="timeToLiveSecs '1'"):
        RouteTable.from_desired({**desired({}), "storeAndForwardConfiguration": {"timeToLiveSecs": "1"}})


def test_all_routes_are_parsed_before_any_is_compiled() -> None:
    mistyped, broken = "FROM /* WHERE temp > 50 INTO $upstream", "FROM /* INTO"
    with pytest.raises(RouteParseError, match="route second"):
        RouteTable.from_desired(desired({"first": mistyped, "second": broken}))
    with pytest.raises(RouteCompileError, match="route first"):
        RouteTable.from_desired(desired({"first": mistyped}))
