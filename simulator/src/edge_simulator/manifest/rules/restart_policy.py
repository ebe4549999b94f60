"""A module that ends stays down unless a policy says otherwise."""

from collections.abc import Iterator

from edge_simulator.manifest.subject import Finding, Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Find modules without a restart policy; edgeAgent itself has none."""
    for module in subject.all_modules:
        if module.name != "edgeAgent" and module.raw.get("restartPolicy") is None:
            yield Finding((*module.path, "restartPolicy"), "is missing", "write always, unless the module is to end")
