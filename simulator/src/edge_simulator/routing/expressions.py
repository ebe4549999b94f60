"""From tokens to a condition's syntax tree: edgeHub's `Condition.g4`, its operators by precedence climbing.

The grammar lets some mistakes pass (a string without an end, a parenthesis too few or too many, an unknown character
before or between operands) so that they fail when the condition is compiled; here they become `Malformed` nodes, or
operators that do not exist.
"""

from typing import Final

from edge_simulator.routing import literals
from edge_simulator.routing.cursor import Cursor
from edge_simulator.routing.errors import RouteParseError
from edge_simulator.routing.syntax import Binary, Call, Malformed, Node, Property, SystemName, Unary
from edge_simulator.routing.tokens import Kind, Token

# The grammar has no limits; these keep a hostile condition from exhausting the stack.
MAX_OPERATIONS: Final = 250
MAX_NESTING: Final = 100

_UNKNOWN_PRECEDENCE: Final = 1
_PRECEDENCE: Final = {
    "??": 2,
    "OR": 3,
    "AND": 4,
    **dict.fromkeys(("=", "!=", "<>"), 5),
    **dict.fromkeys(("<", "<=", ">", ">="), 6),
    **dict.fromkeys(("+", "-", "||"), 7),
    **dict.fromkeys(("*", "/", "%"), 8),
}
_PREFIX_PRECEDENCE: Final = {"NOT": 9, "-": 10}
_LITERALS: Final = {
    Kind.STRING: literals.string,
    Kind.INTEGER: literals.decimal,
    Kind.REAL: literals.decimal,
    Kind.HEX: literals.hexadecimal,
    Kind.CONSTANT: literals.CONSTANTS.__getitem__,
}
_OPERANDS: Final = frozenset(_LITERALS) | {Kind.UNTERMINATED_STRING, Kind.SYSTEM_NAME, Kind.NAME, Kind.UNKNOWN}
_OPERAND_SYMBOLS: Final = frozenset(_PREFIX_PRECEDENCE) | {"(", "{"}


class ExpressionParser:
    """Parses conditions that begin where a cursor stands."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._operations = 0
        self._nesting = 0
        self._open = 0  # parentheses

    def expression(self, above: int = 0) -> Node:
        """Parse operands joined by operators that bind tighter than `above`.

        Raises:
            RouteParseError: the tokens are no expression.
        """
        self._nesting += 1
        self._limit(self._nesting, MAX_NESTING)
        left = self._operand()
        while (precedence := self._precedence()) > above:
            operator = self._operation()
            left = Binary(operator.text.upper(), left, self.expression(precedence), operator.at)
        self._nesting -= 1
        return left

    def _precedence(self) -> int:
        if self._cursor.token.kind is Kind.UNKNOWN:
            return _UNKNOWN_PRECEDENCE
        return _PRECEDENCE.get(self._cursor.operator() or "", 0)

    def _operation(self) -> Token:
        self._operations += 1
        self._limit(self._operations, MAX_OPERATIONS)
        return self._cursor.take()

    def _limit(self, count: int, limit: int) -> None:
        if count > limit:
            raise RouteParseError(f"more than {limit} operators or parentheses; split the route", self._cursor.token.at)

    def _operand(self) -> Node:
        if self._cursor.operator() in _OPERAND_SYMBOLS:
            return self._symbol()
        if self._cursor.token.kind not in _OPERANDS:
            self._cursor.fail("a value")
        token = self._cursor.take()
        match token.kind:
            case Kind.NAME:
                return self._call(token) if self._cursor.operator() == "(" else Property(token.text)
            case Kind.SYSTEM_NAME:
                return SystemName(token.text, escaped=False, at=token.at)
            case Kind.UNTERMINATED_STRING:
                return Malformed(
                    "a string without an end; inside strings only \\\\, \\', \\\" and \\uXXXX are escapes", token.at
                )
            case Kind.UNKNOWN:
                return self._after_unknown(token)
            case _:
                return _LITERALS[token.kind](token.text)

    def _symbol(self) -> Node:
        operator = self._cursor.operator() or ""
        token = self._operation()
        if operator == "(":
            return self._group(token)
        if operator == "{":
            return self._escaped()
        return Unary(operator, self.expression(_PREFIX_PRECEDENCE[operator]), token.at)

    def _group(self, opening: Token) -> Node:
        self._open += 1
        inner = self.expression()
        self._open -= 1
        if not self._cursor.accept(")"):
            return Malformed("a parenthesis that is not closed", opening.at)
        return self._closed(inner)

    def _escaped(self) -> Node:
        name = self._cursor.expect(Kind.SYSTEM_NAME)
        self._cursor.expect("}")
        return SystemName(name.text, escaped=True, at=name.at)

    def _call(self, function: Token) -> Node:
        self._operation()
        self._open += 1
        arguments = [] if self._cursor.operator() == ")" else [self.expression()]
        while self._cursor.accept(","):
            arguments.append(self.expression())
        self._open -= 1
        self._cursor.expect(")")
        return self._closed(Call(function.text, tuple(arguments), function.at))

    def _closed(self, node: Node) -> Node:
        if self._open == 0 and self._cursor.accept(")"):
            return Malformed("a closing parenthesis too many", self._cursor.previous.at)
        return node

    def _after_unknown(self, token: Token) -> Node:
        if self._cursor.token.kind in _OPERANDS or self._cursor.operator() in _OPERAND_SYMBOLS:
            self.expression()
        return Malformed(f"the character {token.text!r} means nothing in a condition", token.at)
