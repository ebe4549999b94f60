"""Patches as twins take them. Pure."""

from collections.abc import Mapping
from typing import Any


def difference(wanted: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """The patch that makes one object another: IoT Hub merges objects within objects, so what is to go is named."""
    patch: dict[str, Any] = {name: None for name in known if name not in wanted}
    for name, value in wanted.items():
        before = known.get(name)
        if not (isinstance(value, Mapping) and isinstance(before, Mapping)):
            patch |= {name: value} if value != before else {}
        elif inner := difference(value, before):
            patch[name] = inner
    return patch
