"""What the rules of a check look at, and what they report."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edge_simulator.manifest import options
from edge_simulator.manifest.content import Content
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.model import CreateOptions, JsonObject
from edge_simulator.manifest.paths import Path
from edge_simulator.routing import RouteError
from edge_simulator.routing.config import DEFAULT_TIME_TO_LIVE_S, parse_spec
from edge_simulator.routing.grammar import parse_route
from edge_simulator.routing.syntax import RouteSyntax


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong: where, why, and what to do about it."""

    path: Path
    reason: str
    mend: str


@dataclass(frozen=True)
class ModuleEntry:
    """A module or system module as the manifest has it; what is malformed reads as absent."""

    name: str
    path: Path
    raw: JsonObject

    @property
    def settings(self) -> JsonObject:
        """The image and the chunks of createOptions."""
        return _object(self.raw.get("settings"))

    @property
    def image(self) -> str:
        """The image's name."""
        image = self.settings.get("image")
        return image.strip() if isinstance(image, str) else ""

    @cached_property
    def options(self) -> CreateOptions:
        """The createOptions."""
        try:
            return self.read_options()
        except ManifestError:
            return options.parse({})

    @property
    def host_config(self) -> JsonObject:
        """HostConfig of the createOptions."""
        return _object(self.options.raw.get("HostConfig"))

    def read_options(self) -> CreateOptions:
        """Read the createOptions.

        Raises:
            ManifestError: they are malformed.
        """
        return options.parse(options.join(self.settings))

    def in_options(self, *inner: str | int) -> Path:
        """Return the path of something in the createOptions."""
        return (*self.path, "settings", "createOptions", *inner)


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route that parses; a negative `time_to_live_s` means without end."""

    path: Path
    syntax: RouteSyntax
    time_to_live_s: int


@dataclass(frozen=True)
class Subject:
    """A manifest that is checked."""

    content: Content

    @property
    def agent(self) -> JsonObject:
        """Desired properties of `$edgeAgent`."""
        return self.content.desired.get("$edgeAgent", {})

    @property
    def hub(self) -> JsonObject:
        """Desired properties of `$edgeHub`."""
        return self.content.desired.get("$edgeHub", {})

    @property
    def twins(self) -> Mapping[str, JsonObject]:
        """Desired properties of the other modules."""
        return {name: twin for name, twin in self.content.desired.items() if not name.startswith("$")}

    @cached_property
    def modules(self) -> dict[str, ModuleEntry]:
        """The modules, without the system's."""
        return {entry.name: entry for entry in self._entries("modules")}

    @cached_property
    def all_modules(self) -> list[ModuleEntry]:
        """The system's modules and the others."""
        return [*self._entries("systemModules"), *self.modules.values()]

    @cached_property
    def route_values(self) -> JsonObject:
        """The routes by name, as the manifest has them."""
        return _object(self.hub.get("routes"))

    @cached_property
    def routes(self) -> list[RouteEntry]:
        """The routes that parse."""
        return list(self._routes())

    def _routes(self) -> Iterator[RouteEntry]:
        default = _object(self.hub.get("storeAndForwardConfiguration")).get("timeToLiveSecs")
        for name, value in self.route_values.items():
            with suppress(RouteError):
                spec = parse_spec(name, value)
                time_to_live = spec.ttl_s or (default if isinstance(default, int) else DEFAULT_TIME_TO_LIVE_S)
                yield RouteEntry(self.content.place("$edgeHub", "routes", name), parse_route(spec.text), time_to_live)

    def _entries(self, group: str) -> Iterator[ModuleEntry]:
        for name, entry in _object(self.agent.get(group)).items():
            yield ModuleEntry(name, self.content.place("$edgeAgent", group, name), _object(entry))


def leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield every value in a JSON value that is no object or array, with its path."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from leaves(member, (*path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def _object(value: Any) -> JsonObject:
    return value if isinstance(value, Mapping) else {}
