"""Which deployments a device gets, and what they make together.

IoT Hub's rules, from "Understand IoT Edge automatic deployments": the deployment with the highest priority, the younger
one of two equals, and on top of it the layered ones of the same or a higher priority, lowest first.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from edge_simulator.manifest import desired_after
from edge_simulator.manifest.content import DESIRED
from edge_simulator.service.configurations.model import Configuration


def layers(configurations: Iterable[Configuration]) -> list[Configuration]:
    """Return the deployment that a device gets, and the layers over it; nothing if there are only layers."""
    ordered = sorted(configurations, key=lambda configuration: configuration.order)
    whole = [configuration for configuration in ordered if not configuration.is_layer]
    if not whole:
        return []
    base = whole[-1]
    above = [one for one in ordered if one.is_layer and one.priority >= base.priority]
    return [base, *above]


def merge(deployments: Sequence[Configuration]) -> dict[str, Any]:
    """Return the sections that deployments make, each put on those before it.

    Raises:
        ManifestError: a section is no object.
    """
    desired: dict[str, Any] = {}
    for deployment in deployments:
        for module, section in deployment.content["modulesContent"].items():
            desired[module] = desired_after(section, desired.get(module, {}), module)
    return {module: {DESIRED: properties} for module, properties in desired.items()}
