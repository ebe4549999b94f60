"""Looking up a message's properties as edgeHub does: by name, whatever the case."""

from collections.abc import Mapping

from edge_simulator.routing.values import UNDEFINED, Value


def find(properties: Mapping[str, str | None], name: str) -> Value:
    """Return a property, or undefined."""
    if name in properties:
        return properties[name]
    lower = name.lower()
    return next((value for key, value in properties.items() if key.lower() == lower), UNDEFINED)
