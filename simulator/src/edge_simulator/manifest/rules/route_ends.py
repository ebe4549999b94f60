"""Routes whose messages nobody sends or nobody gets."""

from collections.abc import Iterator

from edge_simulator.manifest.subject import Finding, RouteEntry, Subject
from edge_simulator.routing import ModuleInput


def check(subject: Subject) -> Iterator[Finding]:
    """Find routes from or to modules that are not there; a layered deployment cannot tell."""
    if subject.content.layered:
        return
    mend = f"the modules are {', '.join(subject.modules) or 'none'}"
    for route in subject.routes:
        for end, module in _missing(route, subject):
            yield Finding(route.path, f"{end} module {module}, which is not there", mend)


def _missing(route: RouteEntry, subject: Subject) -> Iterator[tuple[str, str]]:
    known = {name.lower() for name in subject.modules}
    match route.syntax.source.lower().split("/"):
        case ["", "messages", "modules", module, *_] if module != "*" and module not in known:
            yield "comes from", route.syntax.source.split("/")[3]
    match route.syntax.endpoint:
        case ModuleInput(module) if module not in subject.modules:
            yield "leads to", module
