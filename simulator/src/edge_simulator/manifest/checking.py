"""Checking a manifest before it is deployed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edge_simulator.manifest.content import read_content
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.rules import RULES
from edge_simulator.manifest.subject import Subject
from edge_simulator.manifest.template import environment, read_document


@dataclass(frozen=True, slots=True)
class Report:
    """A finding as it is shown: the rule's name, the place in the file, why it is wrong, and what to do."""

    file: str
    path: str
    rule: str
    reason: str
    mend: str


def check(path: Path, env: Mapping[str, str], platform: str) -> list[Report]:
    """Apply every rule to a manifest or an expanded template; a file that cannot be read is one finding."""
    names = environment(path, env)
    try:
        subject = Subject(read_content(read_document(path, names, Project(path, names, platform))))
    except ManifestError as error:
        return [Report(str(path), "", "structure", str(error), "mend this first; nothing else was checked")]
    return [
        Report(str(path), render(finding.path), name, finding.reason, finding.mend)
        for name, rule in RULES.items()
        for finding in rule(subject)
    ]
