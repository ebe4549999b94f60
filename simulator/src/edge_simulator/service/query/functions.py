"""The functions of queries."""

from collections.abc import Callable
from typing import Any, Final

from edge_simulator.service.query.values import kind_of

Function = Callable[..., bool | None]


def _of_kind(kind: str) -> Function:
    return lambda value: kind_of(value) == kind


def _of_texts(test: Callable[[str, str], bool]) -> Function:
    def apply(text: Any, part: Any) -> bool | None:
        return test(text, part) if isinstance(text, str) and isinstance(part, str) else None

    return apply


# Each with the number of its arguments.
FUNCTIONS: Final[dict[str, tuple[Function, int]]] = {
    "is_defined": (lambda value: kind_of(value) != "undefined", 1),
    **{f"is_{kind}": (_of_kind(kind), 1) for kind in ("null", "bool", "number", "string", "array", "object")},
    "startswith": (_of_texts(str.startswith), 2),
    "endswith": (_of_texts(str.endswith), 2),
    "contains": (_of_texts(str.__contains__), 2),
}
