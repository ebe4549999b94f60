"""The service API of a simulator with several devices."""

from pathlib import Path

from azure.iot.hub.models import Configuration, ConfigurationContent, QuerySpecification, Twin

from support.service import service_clients
from support.simulator import deployment, simulator


def test_twins_and_configurations_address_each_device(tmp_path: Path) -> None:
    manifest = deployment(routes={}, twins={"camera": {"rate": 1}})
    with simulator(tmp_path, manifest, "--devices", "2") as process, service_clients(process) as service:
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
