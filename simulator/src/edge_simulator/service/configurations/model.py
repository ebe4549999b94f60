"""A configuration, and which twins it is for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from edge_simulator.manifest.content import DESIRED
from edge_simulator.service.documents import etag
from edge_simulator.service.errors import ServiceError, bad_request
from edge_simulator.service.query import Query, QueryError, parse_target

JsonObject = dict[str, Any]

_PARTS: Final = ("modulesContent", "deviceContent", "moduleContent")
_AGENT: Final = "$edgeAgent"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration as stored; times as ISO 8601 texts, which sort."""

    id: str
    content: JsonObject
    target_condition: str
    priority: int
    labels: JsonObject
    created: str
    updated: str
    version: int = 1

    @classmethod
    def read(cls, name: str, body: Mapping[str, Any], now: str) -> Self:
        """Read a new configuration.

        Raises:
            ServiceError: it makes no sense.
        """
        target, priority = body.get("targetCondition") or "", body.get("priority") or 0
        if body.get("id", name) != name:
            raise bad_request(f"the configuration is {body['id']!r}, and its place {name!r}")
        if isinstance(priority, bool) or not isinstance(priority, int) or priority < 0:
            raise bad_request("priority must be an integer from 0")
        _check_target(target)
        return cls(name, _content(body), target, priority, _object(body.get("labels"), "labels"), now, now)

    @classmethod
    def from_stored(cls, stored: JsonObject) -> Self:
        """Return what `stored` was made of."""
        return cls(**stored)

    def stored(self) -> JsonObject:
        """Return it as JSON for `from_stored`."""
        return asdict(self)

    def changed(self, other: "Configuration") -> "Configuration":
        """Return this configuration with all that may change taken from another.

        Raises:
            ServiceError: the content has changed, which it may not.
        """
        if other.content not in ({}, self.content):
            raise bad_request("the content of a configuration cannot change: create another one")
        return replace(other, content=self.content, created=self.created, version=self.version + 1)

    @property
    def etag(self) -> str:
        """The entity tag."""
        return etag(self.version)

    @property
    def is_layer(self) -> bool:
        """Whether it only adds to other deployments."""
        return DESIRED not in self.content["modulesContent"].get(_AGENT, {})

    @property
    def order(self) -> tuple[int, str]:
        """What decides between two of them: the priority, and then which is younger."""
        return (self.priority, self.created)

    @property
    def target(self) -> Query | None:
        """The twins that it is for; none where there is no condition."""
        return parse_target(self.target_condition) if self.target_condition else None

    def has(self, part: str) -> bool:
        """Say whether it has content of a kind, such as `modulesContent`."""
        return bool(self.content.get(part))

    def document(self, results: Mapping[str, int]) -> JsonObject:
        """Return it as IoT Hub's REST API shows it, with its system metrics."""
        return {
            "id": self.id,
            "schemaVersion": "1.0",
            "labels": self.labels,
            "content": self.content,
            "targetCondition": self.target_condition,
            "createdTimeUtc": self.created,
            "lastUpdatedTimeUtc": self.updated,
            "priority": self.priority,
            "systemMetrics": {"results": results, "queries": {}},
            "metrics": {"results": {}, "queries": {}},
            "etag": self.etag,
        }


def _check_target(text: object) -> None:
    if not isinstance(text, str):
        raise bad_request("targetCondition must be a text")
    try:
        if text:
            parse_target(text)
    except QueryError as error:
        raise ServiceError(400, "InvalidConfigurationTargetCondition", str(error)) from error


def _content(body: Mapping[str, Any]) -> JsonObject:
    content = _object(body.get("content"), "content")
    parts = {part: _object(content[part], part) for part in _PARTS if content.get(part)}
    for module, section in parts.get("modulesContent", {}).items():
        _object(section, module)
    return parts


def _object(value: Any, name: str) -> JsonObject:
    if value is not None and not isinstance(value, dict):
        raise bad_request(f"{name} must be a JSON object")
    return value or {}
