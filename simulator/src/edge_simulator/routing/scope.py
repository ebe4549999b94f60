"""What a condition looks at, and the form in which a compiled condition does so."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from edge_simulator.routing.body import Path, read_body, select
from edge_simulator.routing.model import Message
from edge_simulator.routing.properties import find
from edge_simulator.routing.values import UNDEFINED, Type, Value


class Scope:
    """One message while its routes are evaluated; its body is decoded at most once."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def property(self, name: str) -> Value:
        """Return an application property."""
        return find(self._message.properties, name)

    def system_property(self, name: str) -> Value:
        """Return a system property."""
        return find(self._message.system_properties, name)

    def body(self, path: Path) -> Value:
        """Return what the body has at a path; undefined where the body is no JSON object."""
        return UNDEFINED if self._document is None else select(self._document, path)

    @cached_property
    def _document(self) -> dict[str, Any] | None:
        return read_body(self._message)


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled part of a condition: its type, and its value for a message."""

    type: Type
    evaluate: Callable[[Scope], Value]
