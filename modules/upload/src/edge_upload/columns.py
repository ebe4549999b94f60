"""Column types for values that come as JSON. Pure: no I/O.

A type is a string, so that it can be kept and compared: ``null``, ``bool``, ``double``, ``string``, ``json``, or
``list<…>`` of one of them. ``json`` is for what fits no column: it is stored as its JSON text.
"""

import json
from collections.abc import Iterable
from functools import lru_cache, reduce
from typing import Any, Final

EXACT: Final = 1 << 53
"""Up to here a double holds every integer."""

LIST: Final = "list<"

NULL: Final = "null"

JSON: Final = "json"

SCALARS: Final = {type(None): "null", bool: "bool", float: "double", str: "string"}

MOST_TYPE: Final = 100
"""Characters of a type's name that are looked at."""

MOST_TYPES: Final = 256
"""Of which it is remembered whether they are types."""

TYPES: Final = frozenset({*SCALARS.values(), "json"})


def element(column_type: str) -> str | None:
    """What a list type is a list of; None if it is none."""
    return column_type.removeprefix(LIST)[:-1] if column_type.startswith(LIST) else None


def type_of(value: Any) -> str:
    """The type that one JSON value needs. All numbers are doubles, so that 1 and 1.5 share a column."""
    if scalar := SCALARS.get(type(value)):
        return scalar
    if isinstance(value, (list, tuple)):
        return f"{LIST}{common_type(value)}>"
    return "double" if type(value) is int and abs(value) <= EXACT else "json"


def common_type(values: Iterable[Any], least: str = NULL) -> str:
    """The type that all values fit into, and values of another type, too; one that is none is passed over."""
    values = list(values)
    kinds = set(map(type, values))
    types = {SCALARS[kind] for kind in kinds} if kinds <= SCALARS.keys() else set(map(type_of, values))
    return reduce(_join, sorted(types), least if least == NULL or is_type(least) else NULL)


@lru_cache(MOST_TYPES)
def is_type(text: str) -> bool:
    """Whether a text names a type, of a sane depth."""
    if len(text) > MOST_TYPE:
        return False
    while text.endswith(">") and (inner := element(text)) is not None:
        text = inner
    return text in TYPES


def _join(one: str, other: str) -> str:
    if other in {one, "null"}:
        return one
    if one == "null":
        return other
    inner, others = element(one), element(other)
    if inner is not None and others is not None:
        return f"{LIST}{_join(inner, others)}>"
    return "json"


def fit(value: Any, column_type: str) -> Any:
    """A value as a column of that type stores it."""
    if value is None or JSON not in column_type:
        return value
    if column_type == JSON:
        return json.dumps(value, ensure_ascii=False, sort_keys=True)
    inner = element(column_type)
    return value if inner is None else [fit(entry, inner) for entry in value]
