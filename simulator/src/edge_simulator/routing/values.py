"""The values of conditions, and the types by which they are checked before any message is there.

edgeHub compiles conditions to typed expressions (`Routing.Core/query/ConditionVisitor.cs` in Azure/iotedge). What a
message's body holds is known only when the message is there, so it has a type of its own, `VALUE`.
"""

import math
from enum import Enum
from typing import Final


class Type(Enum):
    """A type as error messages name it."""

    STRING = "a string"
    NUMBER = "a number"
    BOOL = "a boolean"
    NULL = "null"
    UNDEFINED = "undefined"
    VALUE = "a value of the body"


class Special(Enum):
    """Values that Python has no type for; None is a property without a value."""

    UNDEFINED = "undefined"
    NULL = "null"
    MISSING = "null, because the body has nothing at that path"


UNDEFINED: Final = Special.UNDEFINED
NULL: Final = Special.NULL
MISSING: Final = Special.MISSING

Value = float | str | bool | Special | None

_RANKS: Final = {bool: 1, float: 2, str: 3, Special: 4}


def number(value: float) -> Value:
    """Return the number, or undefined where it is none: NaN is how edgeHub writes an undefined number."""
    return UNDEFINED if math.isnan(value) else value


def order(value: Value) -> tuple[int, float | str]:
    """Return the key by which values of unknown type compare: by type (so null is above all numbers), then value."""
    if value is None:
        return _RANKS[str], ""
    return _RANKS[type(value)], 0 if isinstance(value, Special) else value
