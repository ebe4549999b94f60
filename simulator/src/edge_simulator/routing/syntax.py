"""The syntax tree of a route; `at` is an offset into its text."""

from dataclasses import dataclass

from edge_simulator.routing.model import Endpoint
from edge_simulator.routing.values import Type, Value


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    type: Type
    value: Value


@dataclass(frozen=True, slots=True)
class Property:
    """An application property."""

    name: str


@dataclass(frozen=True, slots=True)
class SystemName:
    """`$name`, an application property or else the body or a system property; escaped as `{$name}`, not the first."""

    name: str
    escaped: bool
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function's call."""

    function: str
    arguments: tuple["Node", ...]
    at: int


@dataclass(frozen=True, slots=True)
class Unary:
    """`-` or `NOT` before an operand."""

    operator: str
    operand: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two operands."""

    operator: str
    left: "Node"
    right: "Node"
    at: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """What the grammar lets pass so that it fails when the condition is compiled."""

    reason: str
    at: int


Node = Literal | Property | SystemName | Call | Unary | Binary | Malformed


@dataclass(frozen=True, slots=True)
class SystemSink:
    """`INTO $name`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class FunctionSink:
    """`INTO function("address")`."""

    function: str
    address: str
    at: int


@dataclass(frozen=True, slots=True)
class RouteSyntax:
    """A parsed route; without a WHERE, `condition` is None and its text is `true`."""

    source: str
    condition: Node | None
    condition_text: str
    sink: SystemSink | FunctionSink
    endpoint: Endpoint
