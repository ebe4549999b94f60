"""Values and conditions of queries, three-valued: what is undefined makes a comparison neither true nor false."""

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

JsonObject = Mapping[str, Any]
Operand = Callable[[JsonObject], Any]
Condition = Callable[[JsonObject], bool | None]


class Undefined:
    """The value of a path that leads nowhere."""


UNDEFINED: Final = Undefined()

_KINDS: Final = {
    Undefined: "undefined",
    type(None): "null",
    bool: "bool",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
}
_ORDERED: Final = ("number", "string")
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COMPARISONS: Final = frozenset({"=", "!=", "<>", *_ORDERS})


def compare(sign: str, left: Any, right: Any) -> bool | None:
    """Compare two values; None where that has no answer."""
    kind = kind_of(left)
    if UNDEFINED in (left, right):
        return None
    same_kind = kind == kind_of(right)
    if sign in _ORDERS:
        return _ORDERS[sign](left, right) if same_kind and kind in _ORDERED else None
    equal = same_kind and left == right
    return equal if sign == "=" else not equal


def kind_of(value: Any) -> str:
    """Return the name of a value's type."""
    return _KINDS.get(type(value), "object")


def lookup(path: list[str]) -> Operand:
    """Return what finds the value at a path."""

    def find(document: JsonObject) -> Any:
        value: Any = document
        for name in path:
            if not isinstance(value, Mapping) or name not in value:
                return UNDEFINED
            value = value[name]
        return value

    return find


def negate(truth: bool | None) -> bool | None:  # noqa: FBT001 (a truth value is what it is about)
    """Return NOT of a truth value."""
    return None if truth is None else not truth


def conjoin(conditions: list[Condition]) -> Condition:
    """Return the AND of conditions."""

    def all_of(document: JsonObject) -> bool | None:
        truths = [condition(document) for condition in conditions]
        return False if False in truths else None if None in truths else True

    return all_of


def disjoin(conditions: list[Condition]) -> Condition:
    """Return the OR of conditions."""

    def any_of(document: JsonObject) -> bool | None:
        truths = [condition(document) for condition in conditions]
        return True if True in truths else None if None in truths else False

    return any_of
