"""What a module finds in its environment."""

import base64
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_simulator.agent.volumes import relocate
from edge_simulator.identity import Device
from edge_simulator.manifest import ModuleSpec
from edge_simulator.workload.api import API_VERSION

# What a process of this machine needs and a container has from its image.
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR", "TZ")


def search_path() -> str:
    """Return where modules find programs: beside this Python first, as that is where `.venv` has theirs."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


def credentials(device: Device, module: str, workload_socket: Path) -> dict[str, str]:
    """Return what edgeAgent gives a module to connect with (`CreateOrUpdateCommand.GetEnvVars` in Azure/iotedge)."""
    return {
        "IOTEDGE_WORKLOADURI": f"unix://{workload_socket}",
        "IOTEDGE_AUTHSCHEME": "sasToken",
        "IOTEDGE_MODULEGENERATIONID": device.generation_id(module),
        "IOTEDGE_IOTHUBHOSTNAME": device.hub_host,
        "IOTEDGE_GATEWAYHOSTNAME": device.gateway_host,
        "IOTEDGE_DEVICEID": device.device_id,
        "IOTEDGE_MODULEID": module,
        "IOTEDGE_APIVERSION": API_VERSION,
    }


def connection_string(device: Device, module: str, authority: Path) -> dict[str, str]:
    """Return what the SDKs take in place of the workload API, as the IoT Edge tools set it for a debugger."""
    parts = {
        "HostName": device.hub_host,
        "GatewayHostName": device.gateway_host,
        "DeviceId": device.device_id,
        "ModuleId": module,
        "SharedAccessKey": base64.b64encode(device.key(module)).decode(),
    }
    return {
        "EdgeHubConnectionString": ";".join(f"{name}={value}" for name, value in parts.items()),
        "EdgeModuleCACertificateFile": str(authority),
    }


def environment(
    spec: ModuleSpec, own: Mapping[str, str], folders: Mapping[str, Path], ports: Mapping[str, str]
) -> dict[str, str]:
    """Return a module's environment: the manifest's over createOptions', and `own` over both.

    Values that name what a container would have, a path below a mount or an exposed port, name what stands in for it.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    stated = {**spec.options.env, **spec.env}
    given = {name: relocate(ports.get(value, value), folders) for name, value in stated.items()}
    image = {"PATH": search_path(), "PYTHONUNBUFFERED": "1", "RuntimeLogLevel": "Information"}
    return {**inherited, **image, **given, **own}
