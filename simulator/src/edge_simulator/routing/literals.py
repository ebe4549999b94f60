"""Constants and numbers as edgeHub reads them."""

import re
from typing import Final

from edge_simulator.routing.syntax import Literal
from edge_simulator.routing.values import NULL, UNDEFINED, Type, Value, number

CONSTANTS: Final = {
    "true": Literal(Type.BOOL, value=True),
    "false": Literal(Type.BOOL, value=False),
    "null": Literal(Type.NULL, NULL),
    "undefined": Literal(Type.UNDEFINED, UNDEFINED),
}

_ESCAPE: Final = re.compile(r"""\\(?:u([0-9A-Fa-f]{4})|(["'\\]))""")
# .NET's NumberStyles.Any, invariant culture: blanks, a sign before or behind or parentheses, thousands, an exponent.
_NUMBER: Final = re.compile(
    r"\s*(?P<open>\()?\s*(?P<sign>[+-])?\s*(?P<digits>[0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)(?P<exponent>[eE][+-]?[0-9]+)?"
    r"\s*(?P<close>\))?\s*(?P<trailing>[+-])?\s*"
)
_INFINITY: Final = re.compile(r"\s*[+-]?infinity\s*", re.IGNORECASE)
_HEX_DIGITS: Final = 16


def string(text: str) -> Literal:
    r"""Read a quoted string with its escapes `\"`, `\'`, `\\` and `\uXXXX`, the last being units of UTF-16."""
    units = _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], text[1:-1])
    return Literal(Type.STRING, units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace"))


def decimal(text: str) -> Literal:
    """Read an integer or real number; `e5` reads as a real number to the lexer, but is none, and is undefined."""
    value = as_number(text)
    return Literal(Type.UNDEFINED if value is UNDEFINED else Type.NUMBER, value)


def hexadecimal(text: str) -> Literal:
    """Read `0x…` as a signed number of 64 bits; a longer one is undefined."""
    digits = text[2:].lstrip("0")
    if len(digits) > _HEX_DIGITS:
        return CONSTANTS["undefined"]
    unsigned = int(digits or "0", 16)
    return Literal(Type.NUMBER, float(unsigned - (1 << 64) if unsigned >> 63 else unsigned))


def as_number(text: str) -> Value:
    """Read a number from a property's text, or return undefined."""
    if _INFINITY.fullmatch(text):
        return float(text)
    match = _NUMBER.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return UNDEFINED
    signs = [sign for sign in (match["sign"], match["trailing"], match["open"]) if sign]
    if len(signs) > 1:
        return UNDEFINED
    magnitude = float(match["digits"].replace(",", "") + (match["exponent"] or ""))
    return number(magnitude if signs in ([], ["+"]) else -magnitude)
