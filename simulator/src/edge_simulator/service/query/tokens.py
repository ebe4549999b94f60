"""From a query's text to its tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from edge_simulator.service.query.errors import QueryError

_NAME: Final = r"(?:[A-Za-z_$][\w$]*|\[\[[^\]]+\]\])"
_TOKEN: Final = re.compile(
    rf"\s*(?:(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r"|(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    rf"|(?P<name>{_NAME}(?:\.{_NAME})*)"
    r"|(?P<sign>!=|<>|<=|>=|[=<>()\[\],*]))"
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Token:
    """A word or sign, in lower case in `key`, unless it is a constant with a `value`; the last token is empty."""

    text: str
    at: int
    key: str = ""
    value: Any = ...

    @property
    def is_name(self) -> bool:
        """Whether it names a property, a function or a part of the language."""
        return re.match(_NAME, self.key) is not None

    @property
    def is_constant(self) -> bool:
        """Whether it stands for a value."""
        return self.value is not ...


def tokens(text: str) -> Iterator[Token]:
    """Split a query into its tokens.

    Raises:
        QueryError: something is no token.
    """
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise QueryError(f"{text[at:].split(maxsplit=1)[0]!r} (at character {at + 1}) means nothing in a query")
        yield _token(match)
        at = match.end()
    yield Token("", end)


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or ""
    text, at = match[kind], match.start(kind)
    if kind == "number":
        return Token(text, at, value=float(text) if set(text) & set(".eE") else int(text))
    if kind == "string":
        return Token(text, at, value=re.sub(r"\\(.)", r"\1", text[1:-1]))
    key = text.lower()
    return Token(text, at, value=_CONSTANTS[key]) if key in _CONSTANTS else Token(text, at, key)
