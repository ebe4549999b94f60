"""Twins, devices and modules as IoT Hub's REST API shows them (version 2021-04-12)."""

import base64
from typing import Any, Final

from edge_simulator.hub.twins import DEVICE_TWIN, document
from edge_simulator.service.edges import SYSTEM_MODULES, Edge
from edge_simulator.store.twins import Twin

JsonObject = dict[str, Any]

_NEVER: Final = "0001-01-01T00:00:00Z"


def etag(version: int) -> str:
    """Return the entity tag of a version, as IoT Hub writes them: base64 of eight bytes."""
    return base64.b64encode(version.to_bytes(8)).decode()


def twin_etag(twin: Twin) -> str:
    """Return a twin's entity tag, which changes with its tags and desired properties."""
    return etag(twin.desired_version + twin.tags_version - 1)


def twin_document(edge: Edge, module: str) -> JsonObject:
    """Return a module's twin, or the device's."""
    twin = edge.twin(module)
    own = {"capabilities": {"iotEdge": True}} if module == DEVICE_TWIN else {"moduleId": module}
    return {
        "deviceId": edge.device.device_id,
        **own,
        "etag": twin_etag(twin),
        "status": "enabled",
        "statusUpdateTime": _NEVER,
        "connectionState": _connection_state(edge, module),
        "lastActivityTime": _NEVER,
        "cloudToDeviceMessageCount": 0,
        "authenticationType": "sas",
        "version": twin.desired_version + twin.reported_version + twin.tags_version - 2,
        "tags": twin.tags,
        "properties": document(twin),
    }


def device_document(edge: Edge) -> JsonObject:
    """Return the device's identity."""
    identity = _identity(edge, DEVICE_TWIN)
    return identity | {
        "status": "enabled",
        "statusReason": None,
        "statusUpdatedTime": _NEVER,
        "capabilities": {"iotEdge": True},
    }


def module_document(edge: Edge, module: str) -> JsonObject:
    """Return a module's identity."""
    managed_by = None if module in SYSTEM_MODULES else "iotEdge"
    return _identity(edge, module) | {"moduleId": module, "managedBy": managed_by}


def _identity(edge: Edge, module: str) -> JsonObject:
    key = base64.b64encode(edge.device.key(module)).decode()
    return {
        "deviceId": edge.device.device_id,
        "generationId": edge.device.generation_id(module),
        "etag": etag(1),
        "connectionState": _connection_state(edge, module),
        "connectionStateUpdatedTime": _NEVER,
        "lastActivityTime": _NEVER,
        "cloudToDeviceMessageCount": 0,
        "authentication": {"type": "sas", "symmetricKey": {"primaryKey": key, "secondaryKey": key}},
    }


def _connection_state(edge: Edge, module: str) -> str:
    return "Connected" if edge.is_connected(module) else "Disconnected"
