"""What is asked of IoT Hub, through its service SDK."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from azure.iot.hub import IoTHubConfigurationManager
from azure.iot.hub.models import Configuration, ConfigurationContent, QuerySpecification, Twin, TwinProperties

from edge_mlops import iothub

_MOST: Final = 100
"""So many configurations a hub can hold."""
_DEVICES: Final = "SELECT * FROM devices WHERE"


class Hub:
    """One IoT Hub.

    Args:
        connection_string: Of a policy that may write to the registry.

    Raises:
        HubError: It is no connection string.
    """

    def __init__(self, connection_string: str) -> None:
        self._registry = iothub.registry(connection_string)
        self._configurations = IoTHubConfigurationManager.from_connection_string(connection_string)

    def devices(self, condition: str) -> list[str]:
        """Return the ids of the devices that meet a target condition, as far as the hub's index has them."""
        query = QuerySpecification(query=f"{_DEVICES} {condition}")
        return [twin.device_id for twin in iothub.items(partial(self._registry.query_iot_hub, query))]

    def modules(self, device: str) -> dict[str, Any]:
        """Return the twins of a device's modules, those of the system among them, as they are at this moment."""
        names = [module.module_id for module in self._registry.get_modules(device)]
        return {name: self._registry.get_module_twin(device, name) for name in names}

    def set_desired(self, device: str, module: str, patch: Mapping[str, Any]) -> None:
        """Change some of a module's desired properties; null removes one."""
        self._registry.update_module_twin(device, module, Twin(properties=TwinProperties(desired=dict(patch))))

    def apply(self, device: str, sections: Mapping[str, Any]) -> None:
        """Give one device what it is to run."""
        content = ConfigurationContent(modules_content=dict(sections))
        self._configurations.apply_configuration_on_edge_device(device, content)

    def configurations(self, prefix: str) -> dict[str, Any]:
        """Return the configurations whose ids begin so, by id."""
        all_of_them = self._configurations.get_configurations(_MOST)
        return {one.id: one for one in all_of_them if one.id.startswith(prefix)}

    def create(
        self, name: str, sections: Mapping[str, Any], labels: Mapping[str, str], target: str = "", priority: int = 0
    ) -> None:
        """Create a configuration; without a target it is for no device."""
        self._configurations.create_configuration(
            Configuration(
                id=name,
                content=ConfigurationContent(modules_content=dict(sections)),
                labels=dict(labels),
                target_condition=target,
                priority=priority,
            )
        )

    def update(self, configuration: Any) -> None:
        """Store a configuration's target, priority and labels, unless somebody else has changed it meanwhile."""
        self._configurations.update_configuration(configuration, configuration.etag)

    def delete(self, name: str) -> None:
        """Delete a configuration."""
        self._configurations.delete_configuration(name)
