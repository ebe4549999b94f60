"""What IoT Hub and edgeHub make of twin properties: how patches merge, and what is refused.

Sources: `JsonEx.Merge`, `ReportedPropertiesValidator.cs` and `StoringTwinManager.cs` in Azure/iotedge.
"""

import json
import math
from typing import Any, Final

from edge_simulator.errors import TwinError

JsonObject = dict[str, Any]

MAX_BYTES: Final = 32_768
MAX_DEPTH: Final = 10
MAX_NAME_BYTES: Final = 1_024
MAX_STRING_BYTES: Final = 4_096
MAX_INTEGER: Final = 2**52
_FORBIDDEN_IN_NAMES: Final = frozenset(".$# ")


def merge_reported(base: JsonObject, patch: JsonObject) -> JsonObject:
    """Merge as edgeHub does: unlike RFC 7396, an object that is new to `base` keeps its nulls."""
    merged = dict(base)
    for key, value in patch.items():
        known = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(known, dict):
            merged[key] = merge_reported(known, value)
        else:
            merged[key] = value
    return merged


def merge_desired(base: JsonObject, patch: JsonObject) -> JsonObject:
    """Merge as IoT Hub does (RFC 7396): null deletes, objects merge, everything else replaces."""
    merged = dict(base)
    for key, value in patch.items():
        known = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            merged[key] = merge_desired(known if isinstance(known, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def diff(base: JsonObject, target: JsonObject) -> JsonObject:
    """Return the patch that makes `target` of `base`, empty if they are the same."""
    patch: JsonObject = dict.fromkeys(base.keys() - target.keys())
    for key, value in target.items():
        known = base.get(key)
        if isinstance(value, dict) and isinstance(known, dict):
            if inner := diff(known, value):
                patch[key] = inner
        elif key not in base or value != known or type(value) is not type(known):
            patch[key] = value
    return patch


def without_nulls(properties: JsonObject) -> JsonObject:
    """Return properties as they are once they have replaced others: null stands for what is not there."""
    return merge_desired({}, properties)


def check_patch(patch: object) -> JsonObject:
    """Return a patch that fits in a twin.

    Raises:
        TwinError: it does not, and why.
    """
    if not isinstance(patch, dict):
        raise TwinError("properties must be a JSON object")
    _check_object(patch, "", depth=1, in_array=False)
    return patch


def check_size(properties: JsonObject) -> None:
    """Refuse properties that have grown too large.

    Raises:
        TwinError: they are over 32 KiB.
    """
    size = len(json.dumps(properties, separators=(",", ":"), ensure_ascii=False).encode())
    if size > MAX_BYTES:
        raise TwinError(f"the properties take {size} bytes; the limit is {MAX_BYTES}")


def _check_object(value: JsonObject, path: str, *, depth: int, in_array: bool) -> None:
    if depth > MAX_DEPTH:
        raise TwinError(f"{path}: nested deeper than {MAX_DEPTH}")
    for name, member in value.items():
        where = f"{path}.{name}" if path else name
        _check_name(name, where)
        _check_value(member, where, depth=depth, in_array=in_array)


def _check_name(name: str, path: str) -> None:
    if len(name.encode()) > MAX_NAME_BYTES:
        raise TwinError(f"{path[:40]}…: a name of more than {MAX_NAME_BYTES} bytes")
    if _FORBIDDEN_IN_NAMES & set(name) or any(not char.isprintable() for char in name):
        raise TwinError(f"{path}: a name may not hold control characters, blanks, '.', '$' or '#'")


def _check_value(value: object, path: str, *, depth: int, in_array: bool) -> None:
    match value:
        case None if in_array:
            raise TwinError(f"{path}: null inside an array")
        case dict():
            _check_object(value, path, depth=depth + 1, in_array=in_array)
        case list():
            for index, item in enumerate(value):
                _check_value(item, f"{path}[{index}]", depth=depth, in_array=True)
        case str() if len(value.encode()) > MAX_STRING_BYTES:
            raise TwinError(f"{path}: a string of more than {MAX_STRING_BYTES} bytes")
        case float() if not math.isfinite(value):
            raise TwinError(f"{path}: no JSON number")
        case int() if not -MAX_INTEGER <= value <= MAX_INTEGER - 1:
            raise TwinError(f"{path}: an integer beyond 52 bits")
