"""The service API of a simulator with several devices."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure.iot.hub.models import Configuration, ConfigurationContent, QuerySpecification, Twin

from support.service import ServiceClients, service_clients
from support.simulator import SimulatorProcess, deployment, simulator


@contextmanager
def _two_devices(folder: Path, manifest: dict[str, Any]) -> Iterator[ServiceClients]:
    with simulator(folder, manifest, "--devices", "2") as fleet:
        one = SimulatorProcess(fleet.manifest, fleet.state / "edge-1")
        with service_clients(one, fleet.state / "authority") as clients:
            yield clients


def test_twins_and_configurations_address_each_device(tmp_path: Path) -> None:
    manifest = deployment(routes={}, twins={"camera": {"rate": 1}})
    with _two_devices(tmp_path, manifest) as service:
        registry = service.registry
        assert [device.device_id for device in registry.get_devices()] == ["edge-1", "edge-2"]
        registry.update_twin("edge-2", Twin(tags={"site": "lab"}))
        found = registry.query_iot_hub(QuerySpecification(query="SELECT * FROM devices WHERE tags.site = 'lab'"))
        assert [twin.device_id for twin in found.items] == ["edge-2"]
        content = ConfigurationContent(
            modules_content=deployment(routes={}, twins={"camera": {"rate": 2}})["modulesContent"]
        )
        service.configurations.create_configuration(
            Configuration(id="lab", target_condition="tags.site = 'lab'", content=content)
        )
        rates = [registry.get_module_twin(name, "camera").properties.desired["rate"] for name in ("edge-1", "edge-2")]
        assert rates == [1, 2]
