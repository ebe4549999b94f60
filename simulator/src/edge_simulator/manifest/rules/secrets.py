"""Secrets where everyone who may read a twin can read them: in environment values and desired properties.

`registryCredentials` is the one place that IoT Edge has for them.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from edge_simulator.manifest.paths import Path
from edge_simulator.manifest.subject import Finding, ModuleEntry, Subject, leaves
from edge_simulator.manifest.variables import unset

_MEND: Final = "mount a file that holds it and name the file, or use an identity"
_WORD_BREAK: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_NAMES: Final = re.compile(
    r"\b(password|passwd|pwd|secret|credentials?|token|sas|connection string"
    r"|(api|access|account|shared access|private|signing|encryption|primary|secondary) key)$"
)
_VALUES: Final = re.compile(
    r"SharedAccessKey=|SharedAccessSignature\b|AccountKey=|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|[?&]sig=|\beyJ[\w-]+\.eyJ[\w-]+\.|://[^/\s:@]+:[^/\s:@]+@"
)
_REFERENCE: Final = re.compile(r"|(/|\./|[a-z]+://).*|true|false", re.IGNORECASE)


def check(subject: Subject) -> Iterator[Finding]:
    """Find values that look like secrets, by their name or by themselves."""
    for module in subject.all_modules:
        for name, value, path in _variables(module):
            yield from _judge(name, value, path)
    for module_name, twin in subject.twins.items():
        for path, value in leaves(twin, subject.content.place(module_name)):
            name = next(step for step in reversed(path) if isinstance(step, str))
            yield from _judge(name, value, path)


def _variables(module: ModuleEntry) -> Iterator[tuple[str, Any, Path]]:
    env: Any = module.raw.get("env") or {}
    for name, entry in env.items() if isinstance(env, dict) else ():
        if isinstance(entry, dict):
            yield name, entry.get("value"), (*module.path, "env", name, "value")
    for name, value in module.options.env.items():
        yield name, value, module.in_options("Env", name)


def _judge(name: str, value: Any, path: Path) -> Iterator[Finding]:
    if not isinstance(value, str) or unset(value):
        return
    if _VALUES.search(value):
        yield Finding(path, "holds what looks like a secret", _MEND)
    elif _NAMES.search(_words(name)) and not _REFERENCE.fullmatch(value):
        yield Finding(path, "has the name of a secret, and a value", _MEND)


def _words(name: str) -> str:
    return " ".join(_WORD_BREAK.split(name)).lower()
