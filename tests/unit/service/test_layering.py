"""Which deployments make up what a device gets."""

from typing import Any

from edge_simulator.service.configurations.layering import layers, merge
from edge_simulator.service.configurations.model import Configuration

WHOLE = {"$edgeAgent": {"properties.desired": {"modules": {"a": 1}}}, "a": {"properties.desired": {"x": {"y": 1}}}}
LAYER = {"$edgeAgent": {"properties.desired.modules.b": 2}, "a": {"properties.desired.x.z": 2}}


def _deployment(name: str, priority: int, content: dict[str, Any], created: str = "1") -> Configuration:
    return Configuration(name, {"modulesContent": content}, "*", priority, {}, created, created)


def _names(*deployments: Configuration) -> list[str]:
    return [deployment.id for deployment in layers(deployments)]


def test_the_highest_priority_wins_and_the_younger_of_equals() -> None:
    low, high = _deployment("low", 1, WHOLE), _deployment("high", 2, WHOLE)
    younger = _deployment("younger", 2, WHOLE, "2")
    assert _names(low, high) == ["high"]
    assert _names(younger, low, high) == ["younger"]


def test_layers_lie_over_a_base_of_no_higher_priority() -> None:
    base = _deployment("base", 2, WHOLE)
    below, same, above = (_deployment(name, at, LAYER) for name, at in (("below", 1), ("same", 2), ("above", 3)))
    assert _names(above, same, below, base) == ["base", "same", "above"]
    assert _names(above, below) == []


def test_layers_add_to_modules_and_twins() -> None:
    assert merge([_deployment("base", 1, WHOLE), _deployment("layer", 1, LAYER)]) == {
        "$edgeAgent": {"properties.desired": {"modules": {"a": 1, "b": 2}}},
        "a": {"properties.desired": {"x": {"y": 1, "z": 2}}},
    }
    assert WHOLE["$edgeAgent"] == {"properties.desired": {"modules": {"a": 1}}}
