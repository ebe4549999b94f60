"""What `$edgeAgent` reports: how its last deployment went, and how each module is."""

import datetime as dt
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from edge_simulator.agent.supervisor import ModuleStatus

JsonObject = dict[str, Any]

_RUNNING: Final = ModuleStatus("running")


def report(
    desired: Mapping[str, Any], desired_version: int, error: Exception | None, status: Mapping[str, ModuleStatus]
) -> JsonObject:
    """Return the reported properties; `error` says why the desired properties cannot be followed."""
    outcome = {"code": 200, "description": ""} if error is None else {"code": 400, "description": str(error)}
    return {
        "schemaVersion": "1.1",
        "version": {"version": version("edge-simulator")},
        "lastDesiredVersion": desired_version,
        "lastDesiredStatus": outcome,
        "runtime": {"type": "docker", "platform": {"os": "linux", "architecture": platform.machine()}},
        "systemModules": {
            name: _module(_entry(desired, "systemModules", name), _RUNNING) for name in ("edgeAgent", "edgeHub")
        },
        "modules": {name: _module(_entry(desired, "modules", name), one) for name, one in status.items()},
    }


def _entry(desired: Mapping[str, Any], section: str, name: str) -> JsonObject:
    """Return what is desired of a module; nothing is certain in desired properties that cannot be followed."""
    entries = desired.get(section)
    entry = entries.get(name) if isinstance(entries, Mapping) else None
    return dict(entry) if isinstance(entry, Mapping) else {}


def _module(entry: JsonObject, status: ModuleStatus) -> JsonObject:
    return entry | {
        "runtimeStatus": status.status,
        "statusDescription": status.reason or status.status,
        "exitCode": status.exit_code or 0,
        "restartCount": status.restarts,
        "lastStartTimeUtc": _time(status.started_at),
        "lastExitTimeUtc": _time(status.ended_at),
    }


def _time(seconds: float | None) -> str:
    """Return a time as IoT Edge writes it; what has not been yet is the year 1."""
    if seconds is None:
        return "0001-01-01T00:00:00Z"
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
