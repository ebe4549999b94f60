"""Configurations by the service SDK: rolled out by target condition and priority."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from azure.iot.hub.models import Configuration, ConfigurationContent, Twin
from msrest.exceptions import HttpOperationError

from support.service import ServiceClients
from support.simulator import SimulatorProcess, deployment

POLL_S = 0.05
ON_SITE = "tags.site = 'lab'"


def _create(service: ServiceClients, name: str, target: str, priority: int = 0, **content: Any) -> Any:
    return service.configurations.create_configuration(
        Configuration(id=name, target_condition=target, priority=priority, content=ConfigurationContent(**content))
    )


def _sections(rate: int) -> dict[str, Any]:
    sections: dict[str, Any] = deployment(routes={}, twins={"camera": {"rate": rate}})["modulesContent"]
    return sections


def _rate(service: ServiceClients) -> Any:
    return service.registry.get_module_twin("edge", "camera").properties.desired.get("rate")


def _until(true: Callable[[], bool]) -> None:
    while not true():
        time.sleep(POLL_S)


def test_a_deployment_reaches_the_devices_that_it_is_for(service: ServiceClients) -> None:
    created = _create(service, "site", ON_SITE, modules_content=_sections(10))
    assert created.system_metrics.results["targetedCount"] == 0
    assert _rate(service) == 1
    service.registry.update_twin("edge", Twin(tags={"site": "lab"}))
    _until(lambda: _rate(service) == 10)
    results = service.configurations.get_configuration("site").system_metrics.results
    assert results == {"targetedCount": 1, "appliedCount": 1, "reportedSuccessfulCount": 1, "reportedFailedCount": 0}


def test_the_highest_priority_wins_until_it_is_deleted(service: ServiceClients) -> None:
    _create(service, "high", "*", 5, modules_content=_sections(50))
    _create(service, "low", "*", 1, modules_content=_sections(10))
    assert _rate(service) == 50
    _create(service, "layer", "deviceId = 'edge'", 7, modules_content={"camera": {"properties.desired.size": 3}})
    assert service.registry.get_module_twin("edge", "camera").properties.desired["size"] == 3
    names = [configuration.id for configuration in service.configurations.get_configurations()]
    assert names == ["high", "low", "layer"]
    service.configurations.delete_configuration("high")
    assert _rate(service) == 10


def test_settings_for_devices_and_modules(service: ServiceClients) -> None:
    _create(service, "device", "*", device_content={"properties.desired.zone": {"a": 1}})
    assert service.registry.get_twin("edge").properties.desired["zone"] == {"a": 1}
    target = "FROM devices.modules WHERE moduleId = 'viewer'"
    _create(service, "module", target, module_content={"properties.desired.zoom": 2})
    assert service.registry.get_module_twin("edge", "viewer").properties.desired["zoom"] == 2
    assert "zoom" not in service.registry.get_module_twin("edge", "camera").properties.desired


def test_an_edit_by_hand_stays_even_over_a_restart(edge: SimulatorProcess, service: ServiceClients) -> None:
    _create(service, "all", "*", modules_content=_sections(10))
    edge.run("twin", "set", "camera", "rate=11")
    edge.stop()
    edge.start()
    _create(service, "none", ON_SITE, modules_content=_sections(12))
    assert _rate(service) == 11
    assert service.configurations.get_configuration("all").system_metrics.results["appliedCount"] == 1


def test_a_configuration_is_updated_by_etag(service: ServiceClients) -> None:
    created = _create(service, "all", "*", modules_content=_sections(10))
    created.priority = 9
    updated = service.configurations.update_configuration(created, created.etag)
    assert (updated.priority, updated.etag != created.etag) == (9, True)
    with pytest.raises(HttpOperationError) as refused:
        service.configurations.update_configuration(created, created.etag)
    assert refused.value.response.status_code == 412
    with pytest.raises(HttpOperationError) as refused:
        _create(service, "all", "*", modules_content=_sections(10))
    assert refused.value.response.status_code == 409


def test_a_target_condition_that_is_none_is_refused(service: ServiceClients) -> None:
    with pytest.raises(HttpOperationError) as refused:
        _create(service, "bad", "tags.site =", modules_content=_sections(10))
    assert refused.value.response.status_code == 400
    assert service.configurations.get_configurations() == []
