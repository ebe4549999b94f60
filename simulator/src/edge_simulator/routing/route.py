"""A route that is ready to be asked about messages."""

from dataclasses import dataclass
from typing import Self

from edge_simulator.routing.conditions import Condition, compile_condition
from edge_simulator.routing.model import Message
from edge_simulator.routing.scope import Scope
from edge_simulator.routing.syntax import RouteSyntax


@dataclass(frozen=True, slots=True)
class Route:
    """A compiled route; without a condition, every message of its source takes it."""

    prefix: str
    condition: Condition | None

    @classmethod
    def compile(cls, syntax: RouteSyntax) -> Self:
        """Compile a parsed route.

        Raises:
            RouteCompileError: its condition cannot be evaluated.
        """
        condition = None if syntax.condition is None else compile_condition(syntax.condition)
        return cls(_prefix(syntax.source.rstrip("*")), condition)

    def leaves(self, source: str) -> bool:
        """Tell whether the route starts at a message's source, compared by whole segments whatever the case."""
        return _prefix(source).startswith(self.prefix)

    def matches(self, message: Message) -> bool | None:
        """Tell whether a message takes the route; None if the condition is undefined."""
        if not self.leaves(message.source):
            return False
        return True if self.condition is None else self.condition(Scope(message))


def _prefix(source: str) -> str:
    return source.rstrip("/").lower() + "/"
