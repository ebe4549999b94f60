"""The form that IoT Hub, edgeAgent and edgeHub want, as their published JSON schemas have it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge_simulator.manifest.content import DESIRED
from edge_simulator.manifest.model import LAST_TO_START, RESTART_POLICIES, STATUSES
from edge_simulator.manifest.paths import Path
from edge_simulator.manifest.shapes import ANYTHING, SCALAR, TEXT, Choice, Either, Integer, Object, Shape, Text
from edge_simulator.manifest.subject import Finding, Subject

_TYPE: Final = Choice(("docker",))
_ENV: Final = Object(others=(r"[^+#$\s.]+", Object({"value": SCALAR}, others=None)))
_SETTINGS: Final = Object({"image": TEXT}, others=(r"create[Oo]ptions[0-9]*", Either(Object(), TEXT, chooses=dict)))
_AGENT_MEMBERS: Final[Mapping[str, Shape]] = {"env": _ENV, "imagePullPolicy": Choice(("never", "on-create"))}
_MODULE_MEMBERS: Final[Mapping[str, Shape]] = {
    **_AGENT_MEMBERS,
    "restartPolicy": Choice(RESTART_POLICIES),  # its absence is a rule of its own
    "startupOrder": Integer(0, LAST_TO_START),
}
_EDGE_AGENT: Final = Object({"type": _TYPE, "settings": _SETTINGS}, _AGENT_MEMBERS, others=None)
_EDGE_HUB: Final = Object(
    {"type": _TYPE, "settings": _SETTINGS, "status": Choice(STATUSES)}, _MODULE_MEMBERS, others=None
)
_MODULE: Final = Object(_EDGE_HUB.required, {**_MODULE_MEMBERS, "version": TEXT}, others=None)
_CREDENTIALS: Final = Object(
    {"address": Text(r"\S+", "an address without blanks"), "username": TEXT, "password": TEXT}, others=None
)
_RUNTIME: Final = Object(
    {
        "type": _TYPE,
        "settings": Object(
            optional={
                "minDockerVersion": TEXT,
                "loggingOptions": TEXT,
                "registryCredentials": Object(others=(r"[^.$# ]+", _CREDENTIALS)),
            },
            others=None,
        ),
    },
    others=None,
)
_AGENT: Final[Mapping[str, Shape]] = {
    "schemaVersion": Text(r"1\.[01](\.[0-9]+){0,2}", "1.0 or 1.1"),
    "runtime": _RUNTIME,
    "systemModules": Object({"edgeAgent": _EDGE_AGENT, "edgeHub": _EDGE_HUB}, others=None),
    "modules": Object(others=(r"[A-Za-z0-9_-]+", _MODULE)),
}
_HUB: Final[Mapping[str, Shape]] = {
    "routes": Object(others=(r"[^.$# ]+", ANYTHING)),  # what a route is, is a rule of its own
}
_HUB_MEMBERS: Final[Mapping[str, Shape]] = {
    "schemaVersion": ANYTHING,  # the same
    "storeAndForwardConfiguration": ANYTHING,
    "mqttBroker": ANYTHING,
    "integrity": ANYTHING,
}
_SECTION: Final = Object(others=(rf"{re.escape(DESIRED)}(\..+)?", ANYTHING))


def check(subject: Subject) -> Iterator[Finding]:
    """Find missing, unknown and malformed values."""
    for name, section in subject.content.sections.items():
        yield from _findings(_SECTION, section, (*subject.content.path, name))
    yield from _findings(_twin(subject, _AGENT, {}), subject.agent, subject.content.place("$edgeAgent"))
    yield from _findings(_twin(subject, _HUB, _HUB_MEMBERS), subject.hub, subject.content.place("$edgeHub"))


def _twin(subject: Subject, members: Mapping[str, Shape], others: Mapping[str, Shape]) -> Object:
    if subject.content.layered:  # it only adds to what the deployments below it have
        return Object(optional={**members, **others}, others=None)
    return Object(members, others, others=None)


def _findings(shape: Shape, value: Any, path: Path) -> Iterator[Finding]:
    for problem in shape.problems(value, path):
        yield Finding(problem.path, problem.reason, problem.mend)
