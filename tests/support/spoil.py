"""JSON that was right once, and bytes that never were; for hypothesis."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import strategies as st

DEEP = 2000

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([-1, 0, 2**31, 2**63, 10**400, 1e308, -0.0, float("nan"), float("inf")])
    | st.text(max_size=8)
    | st.sampled_from(["", "\0", "../x", "/etc/passwd", "a" * 5000, "\ud800", "\u202e", "2026-02-30", "NaN"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
"""What a field might hold that should hold something else."""


def places(value: Any, *path: Any) -> Iterator[tuple[Any, ...]]:
    """The paths to everything in a JSON value."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        yield from places(inner, *path, key)


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A body with another value somewhere."""
    if not path:
        return value
    changed_body = copy.deepcopy(body)
    holder = changed_body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return changed_body


def _without(body: Any, path: tuple[Any, ...]) -> Any:
    spoilt = copy.deepcopy(body)
    holder = spoilt
    for key in path[:-1]:
        holder = holder[key]
    del holder[path[-1]]
    return spoilt


@st.composite
def spoilt_json(draw: st.DrawFn, valid: Any) -> Any:
    """A JSON value with one or two of its places changed or gone."""
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([*places(valid)]))
        gone = path and draw(st.booleans())
        valid = _without(valid, path) if gone else changed(valid, path, draw(VALUES))
    return valid


def wrecks(valid: Mapping[str, Any]) -> list[bytes]:
    """A body that is cut, doubled, nested too deep, wrongly encoded, or says something twice."""
    text = json.dumps(valid)
    key = next(iter(valid))
    deep = "[" * DEEP + "]" * DEEP
    return [
        *(text[:length].encode() for length in (0, 1, len(text) // 2, len(text) - 1)),
        (text + text).encode(),
        text.encode("utf-16"),
        b"\xef\xbb\xbf" + text.encode(),
        text.encode().replace(b'"', b"\xff", 1),
        f'{text[:-1]}, "{key}": {deep}}}'.encode(),
        f'{text[:-1]}, "{key}": {"9" * 5000}}}'.encode(),
        f'{text[:-1]}, "{key}": 1, "{key}": null}}'.encode(),
        text.replace("1", "1e999").encode(),
    ]


def garbage(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Bodies that nobody can read."""
    return st.sampled_from(wrecks(valid)) | st.binary(max_size=100)


def messages(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """Bodies near, or not at all near, a valid one."""
    near = spoilt_json(valid).map(lambda body: json.dumps(body).encode())
    return near | garbage(valid)
