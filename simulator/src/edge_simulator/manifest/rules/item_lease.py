"""Items that outlive their lease pile up.

A module that sends items under a lease (its twin has `leaseSeconds`) sends them again when the lease ends. What edgeHub
still holds then is sent twice.
"""

from collections.abc import Iterator
from typing import Final

from edge_simulator.manifest.subject import Finding, RouteEntry, Subject
from edge_simulator.routing import ModuleInput

_LEASE: Final = "leaseSeconds"


def check(subject: Subject) -> Iterator[Finding]:
    """Find routes from a module's `items` to other modules whose time to live is longer than the module's lease."""
    for module, twin in subject.twins.items():
        lease = twin.get(_LEASE)
        if isinstance(lease, int | float):
            yield from _outliving(subject, module, lease)


def _outliving(subject: Subject, module: str, lease: float) -> Iterator[Finding]:
    for route in subject.routes:
        if _carries_items(route, module) and not 0 <= route.time_to_live_s <= lease:
            lives = f"lives {route.time_to_live_s} s" if route.time_to_live_s >= 0 else "never expires"
            reason = f"{lives}, longer than the lease of {lease} s that {module} sends items under"
            yield Finding(route.path, reason, f"set timeToLiveSecs to at most {int(lease)}")


def _carries_items(route: RouteEntry, module: str) -> bool:
    own = f"/messages/modules/{module}".lower()
    source = route.syntax.source.lower().rstrip("*").rstrip("/")
    return source in {own, f"{own}/outputs", f"{own}/outputs/items"} and isinstance(route.syntax.endpoint, ModuleInput)
