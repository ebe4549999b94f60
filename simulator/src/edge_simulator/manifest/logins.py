"""What `$edgeAgent` knows to log in to container registries with."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.model import Login
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.shapes import TEXT, Object

_DOCKER_HUB: Final = "docker.io"
_ENTRY: Final = Object(optional={"address": TEXT, "username": TEXT, "password": TEXT})
_SETTINGS: Final = Object(optional={"registryCredentials": Object(others=(r".*", _ENTRY))})
_AGENT: Final = Object(optional={"runtime": Object(optional={"settings": _SETTINGS})})


def read_logins(agent: Mapping[str, Any]) -> dict[str, Login]:
    """Return the logins in `$edgeAgent`'s desired properties by registry; those without a user name are left out.

    Raises:
        ManifestError: they cannot be understood; its path begins at the desired properties.
    """
    for problem in _AGENT.problems(agent, ()):
        raise ManifestError(f"{problem.reason}; {problem.mend}", render(problem.path))
    return dict(_logins(agent))


def registry_of(image: str) -> str:
    """Return the registry in an image's name: its first part if that looks like a host, else Docker Hub's."""
    host, slash, _ = image.partition("/")
    return host if slash and (host == "localhost" or "." in host or ":" in host) else _DOCKER_HUB


def _logins(agent: Mapping[str, Any]) -> Iterator[tuple[str, Login]]:
    settings = (agent.get("runtime") or {}).get("settings") or {}
    for entry in (settings.get("registryCredentials") or {}).values():
        if entry.get("username"):
            yield entry.get("address") or _DOCKER_HUB, Login(entry["username"], entry.get("password") or "")
