from pathlib import Path
from typing import Any

import pytest

from support.manifests import (
    HUB,
    TO_CAMERA,
    deployment,
    desired,
    found,
    module,
    with_route,
)


@pytest.mark.parametrize(
    "route",
    [
        "",
        5,
        "FROM /* INTO nowhere",
        "FROM /* WHERE temp > 50 INTO $upstream",
        {"route": "FROM /* INTO $upstream", "priority": 10},
    ],
)
def test_bad_routes(tmp_path: Path, route: Any) -> None:
    assert found(with_route(route), tmp_path) == [("routes", f"{HUB}.routes.r")]


@pytest.mark.parametrize("member", ["schemaVersion", "storeAndForwardConfiguration"])
def test_a_bad_configuration_around_routes_is_told_once(tmp_path: Path, member: str) -> None:
    document = deployment()
    desired(document, "$edgeHub")[member] = 5
    assert found(document, tmp_path) == [("routes", HUB)]


def test_routes_of_another_form(tmp_path: Path) -> None:
    document = deployment()
    desired(document, "$edgeHub")["routes"] = ["FROM /* INTO $upstream"]
    assert found(document, tmp_path) == [("structure", f"{HUB}.routes")]


@pytest.mark.parametrize(
    ("route", "wrong"),
    [
        ("FROM /messages/modules/nobody/outputs/o INTO $upstream", True),
        ("FROM /messages/modules/nobody INTO $upstream", True),
        ("FROM /messages/modules/Camera/* INTO $upstream", False),
        ("FROM /messages/modules/* INTO $upstream", False),
        ("FROM /messages/* INTO $upstream", False),
        ("FROM /twinChangeNotifications INTO $upstream", False),
        (f"FROM /* {TO_CAMERA}", False),
        ('FROM /* INTO BrokeredEndpoint("/modules/nobody/inputs/i")', True),
        ('FROM /* INTO BrokeredEndpoint("/modules/Camera/inputs/i")', True),
    ],
)
def test_routes_from_and_to_modules_that_are_not_there(tmp_path: Path, route: str, *, wrong: bool) -> None:
    assert found(with_route(route), tmp_path) == ([("route-ends", f"{HUB}.routes.r")] if wrong else [])


@pytest.mark.parametrize(
    ("source", "ttl_s", "wrong"),
    [
        ("/messages/modules/camera/outputs/items", 60, False),
        ("/messages/modules/camera/outputs/items", 61, True),
        ("/messages/modules/Camera/outputs/*", 61, True),
        ("/messages/modules/camera/*", 61, True),
        ("/messages/modules/camera/outputs/items", 0, True),
        ("/messages/modules/camera/outputs/items", None, True),
        ("/messages/modules/camera/outputs/inquiries", 61, False),
        ("/messages/modules/scale/outputs/items", 61, False),
        ("/messages/*", 61, False),
    ],
)
def test_items_that_outlive_their_lease(tmp_path: Path, source: str, ttl_s: int | None, *, wrong: bool) -> None:
    document = deployment(camera=module(), scale=module())
    desired(document, "camera")["leaseSeconds"] = 60
    route = {"route": f"FROM {source} {TO_CAMERA}", "timeToLiveSecs": ttl_s}
    desired(document, "$edgeHub")["routes"] = {"r": {name: value for name, value in route.items() if value is not None}}
    assert found(document, tmp_path) == ([("item-lease", f"{HUB}.routes.r")] if wrong else [])


def test_items_for_the_cloud_may_wait_and_a_global_time_to_live_counts(tmp_path: Path) -> None:
    document = deployment()
    desired(document, "camera")["leaseSeconds"] = 60.5
    assert found(document, tmp_path) == []
    hub = desired(document, "$edgeHub")
    hub["routes"] = {"r": f"FROM /messages/modules/camera/outputs/items {TO_CAMERA}"}
    for ttl_s, findings in ((60, 0), (61, 1), (-1, 1)):
        hub["storeAndForwardConfiguration"] = {"timeToLiveSecs": ttl_s}
        assert len(found(document, tmp_path)) == findings
