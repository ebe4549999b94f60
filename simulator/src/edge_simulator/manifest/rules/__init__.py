"""The rules of a manifest check: a file each, whose `check` yields findings."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from edge_simulator.manifest.rules import (
    create_options,
    gpu,
    item_lease,
    kubernetes,
    latest_tags,
    ports,
    restart_policy,
    route_ends,
    routes,
    secrets,
    structure,
    tensor_store,
    twin_limits,
    variables,
)
from edge_simulator.manifest.subject import Finding, Subject

Rule = Callable[[Subject], Iterator[Finding]]

RULES: Final[Mapping[str, Rule]] = {
    "structure": structure.check,
    "variables": variables.check,
    "routes": routes.check,
    "route-ends": route_ends.check,
    "restart-policy": restart_policy.check,
    "latest-tags": latest_tags.check,
    "create-options": create_options.check,
    "gpu": gpu.check,
    "kubernetes": kubernetes.check,
    "ports": ports.check,
    "secrets": secrets.check,
    "twin-limits": twin_limits.check,
    "item-lease": item_lease.check,
    "tensor-store": tensor_store.check,
}
