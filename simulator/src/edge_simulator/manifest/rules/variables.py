"""Variables that nothing gave a value would reach the device as they stand."""

from collections.abc import Iterator

from edge_simulator.manifest.subject import Finding, Subject, leaves
from edge_simulator.manifest.variables import unset


def check(subject: Subject) -> Iterator[Finding]:
    """Find `${NAME}` left in values."""
    for path, value in leaves(subject.content.sections, subject.content.path):
        for name in unset(value) if isinstance(value, str) else ():
            yield Finding(path, f"${{{name}}} has no value", "set it in the environment or in .env beside the file")
