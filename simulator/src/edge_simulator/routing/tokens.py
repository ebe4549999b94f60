"""From a route's text to tokens.

As in edgeHub's `GrammarLexer.g4` the longest match wins, and among equally long ones the first rule. Names may hold
nearly every character, so `a-b`, `3*4` and `'a'||'b'` are one name each, and what looks like a path's end may open a
comment. This rule is why the lexer is written here: parser libraries join their rules to one expression, in which the
first match wins.
"""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """A token's kind, as error messages name it."""

    SELECT = "SELECT"
    FROM = "FROM"
    WHERE = "WHERE"
    INTO = "INTO"
    STRING = "a string"
    UNTERMINATED_STRING = "a string without an end"
    INTEGER = "an integer"
    HEX = "a hexadecimal integer"
    REAL = "a real number"
    CONSTANT = "a constant"
    SYMBOL = "a symbol"
    WORD_OPERATOR = "AND, OR or NOT"
    SYSTEM_NAME = "a name that begins with $"
    NAME = "a name"
    QUERY_PATH = "a name with brackets"
    BLANK = "white space"
    COMMENT = "a comment"
    UNKNOWN = "a character that means nothing here"
    END = "the end"


class Token(NamedTuple):
    """A piece of the text, `at` an offset from its start."""

    kind: Kind
    text: str
    at: int

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.at + len(self.text)


_NAME: Final = r'[^()<>@,;:\\"/\[\]?={} \t\n\r]+'
_QUERY_PATH: Final = r'[^()<>@,;:\\"/?={} \t\n\r]+'
_ESCAPE: Final = r"""\\(?:["'\\]|u[0-9a-fA-F]{4})"""
_OPEN_STRING: Final = rf"""(?:"(?:{_ESCAPE}|[^"\\])*|'(?:{_ESCAPE}|[^'\\])*)"""
_STRING: Final = rf"""(?:"(?:{_ESCAPE}|[^"\\])*"|'(?:{_ESCAPE}|[^'\\])*')"""
_EXPONENT: Final = r"[eE][+-]?[0-9]+"

_RULES: Final = tuple(
    (kind, re.compile(pattern, re.ASCII | re.DOTALL))
    for kind, pattern in (
        (Kind.SELECT, "(?i:SELECT)"),
        (Kind.FROM, "(?i:FROM)"),
        (Kind.WHERE, "(?i:WHERE)"),
        (Kind.INTO, "(?i:INTO)"),
        (Kind.STRING, _STRING),
        (Kind.UNTERMINATED_STRING, _OPEN_STRING),
        (Kind.INTEGER, "-?[0-9]+"),
        (Kind.HEX, "0[xX][0-9a-fA-F]+"),
        (Kind.REAL, rf"-?(?:[0-9]*\.[0-9]+(?:{_EXPONENT})?|[0-9]*{_EXPONENT})"),
        (Kind.CONSTANT, "true|false|null|undefined"),
        (Kind.SYMBOL, r"\?\?|\|\||!=|<>|<=|>=|[()+\-*/%=<>,{}]"),
        (Kind.WORD_OPERATOR, "(?i:AND|OR|NOT)"),
        (Kind.SYSTEM_NAME, rf"\${_QUERY_PATH}"),
        (Kind.NAME, _NAME),
        (Kind.QUERY_PATH, _QUERY_PATH),
        (Kind.BLANK, r"[ \t\r\n]+"),
        (Kind.COMMENT, r"/\*.*?\*/"),
        (Kind.UNKNOWN, "."),
    )
)


def tokenize(text: str) -> Iterator[Token]:
    """Yield the tokens that mean something, and an `END` behind them."""
    at = 0
    while at < len(text):
        token = max(_candidates(text, at), key=lambda candidate: len(candidate.text))
        if token.kind not in (Kind.BLANK, Kind.COMMENT):
            yield token
        at = token.end
    yield Token(Kind.END, "", at)


def _candidates(text: str, at: int) -> Iterator[Token]:
    for kind, pattern in _RULES:
        if match := pattern.match(text, at):
            yield Token(kind, match[0], at)
