"""`$body.path[.x[i]]`: what a condition sees of a message's body.

The body is read only where content type and encoding say JSON, and then as edgeHub's Newtonsoft.Json does: the root is
an object, and text that looks like an ISO 8601 time is a time, which conditions cannot compare.
"""

import json
import re
from datetime import datetime
from typing import Any, Final

from edge_simulator.routing.errors import RouteCompileError
from edge_simulator.routing.model import Message
from edge_simulator.routing.properties import find
from edge_simulator.routing.values import MISSING, NULL, UNDEFINED, Value, number

Path = tuple[str | int, ...]

_STEP: Final = re.compile(r"(?![0-9]+(?:\[|$))([^.\[\]]+)(?:\[([0-9]+)\])?")
_ENCODINGS: Final = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,7})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)


def parse_path(text: str, at: int) -> Path:
    """Parse names and indexes: `a.b[0].c` to `("a", "b", 0, "c")`; the grammar is edgeHub's `JsonPath.g4`.

    Raises:
        RouteCompileError: the text is no such path.
    """
    path: list[str | int] = []
    for step in text.split("."):
        match = _STEP.fullmatch(step)
        if match is None:
            raise RouteCompileError(f"$body.{text} is no path; write names and indexes as in $body.a.b[0]", at)
        path += [match[1]] if match[2] is None else [match[1], int(match[2])]
    return tuple(path)


def read_body(message: Message) -> dict[str, Any] | None:
    """Decode a body that says of itself that it is JSON; None if it does not, or is not a JSON object."""
    content_type = find(message.system_properties, "contentType")
    encoding = find(message.system_properties, "contentEncoding")
    codec = _ENCODINGS.get(encoding.lower()) if isinstance(encoding, str) else None
    if codec is None or not isinstance(content_type, str) or content_type.lower() != "application/json":
        return None
    try:
        document = json.loads(message.body.decode(codec, errors="replace"), parse_int=float)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def select(document: dict[str, Any], path: Path) -> Value:
    """Return the number, text, boolean or null at a path; objects, arrays and times are undefined."""
    found: Any = document
    for step in path:
        found = _child(found, step)
    return _value(found)


def _child(parent: Any, step: str | int) -> Any:
    if isinstance(parent, dict) and isinstance(step, str):
        return parent.get(step, MISSING)
    if isinstance(parent, list) and isinstance(step, int) and step < len(parent):
        return parent[step]
    return MISSING


def _value(found: Any) -> Value:
    match found:
        case None:
            return NULL
        case float():
            return number(found)
        case bool():
            return found
        case str():
            return UNDEFINED if _is_time(found) else found
        case _:
            return MISSING if found is MISSING else UNDEFINED


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
