"""Operators: which types they take, and what they make of their operands.

The checks are those of edgeHub's `ConditionVisitor.cs`, and where they are uneven (`-` and `%` do not take values of
the body; AND and OR take one on the right only if there is one on the left) so are these: a condition that compiles
here compiles on a device.
"""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

from edge_simulator.routing import functions
from edge_simulator.routing.errors import RouteCompileError
from edge_simulator.routing.scope import Expression
from edge_simulator.routing.values import NULL, UNDEFINED, Type, Value, number, order

Operation = Callable[[Any, Any], Any]

_COMPARABLE_WITH_BODY: Final = frozenset({Type.STRING, Type.NUMBER, Type.BOOL, Type.NULL, Type.VALUE})
_LOGICAL: Final = frozenset({Type.BOOL, Type.NULL, Type.UNDEFINED, Type.VALUE})
_PYTHON: Final = {Type.STRING: str, Type.NUMBER: float, Type.BOOL: bool}


def _divide(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)


def _remainder(left: float, right: float) -> float:
    return math.nan if right == 0 or math.isinf(left) else math.fmod(left, right)


_ARITHMETIC: Final[Mapping[str, Operation]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}
_COMPARISON: Final[Mapping[str, Operation]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def unary(symbol: str, operand: Expression, at: int) -> Expression:
    """Compile `-` or `NOT`.

    Raises:
        RouteCompileError: it does not take an operand of this type.
    """
    return _not(operand, at) if symbol == "NOT" else _minus(operand, at)


def _minus(operand: Expression, at: int) -> Expression:
    if operand.type is not Type.NUMBER:
        raise _mistyped("-", at, "a number", operand)
    return _unary(Type.NUMBER, operand, lambda value: UNDEFINED if value is UNDEFINED else -value)


def _not(operand: Expression, at: int) -> Expression:
    if operand.type is Type.NULL:
        return Expression(Type.BOOL, lambda _: True)
    if operand.type not in (Type.BOOL, Type.VALUE):
        raise _mistyped("NOT", at, "a boolean (NOT binds tighter than =: write NOT (a = b))", operand)
    return _unary(Type.BOOL, operand, lambda value: not value if isinstance(value, bool) else UNDEFINED)


def binary(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    """Compile an operator with two operands.

    Raises:
        RouteCompileError: it does not take operands of these types, or is none.
    """
    compile_operator = _BINARY.get(symbol)
    if compile_operator is None:
        raise RouteCompileError(f"the character {symbol!r} means nothing in a condition", at)
    return compile_operator(symbol, left, right, at)


def _arithmetic(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    takes = (Type.NUMBER,) if symbol == "%" else (Type.NUMBER, Type.VALUE)
    if left.type not in takes or right.type not in takes:
        raise _mistyped(symbol, at, "numbers (as_number makes one of a property)", left, right)
    calculate = _ARITHMETIC[symbol]

    def apply(a: Value, b: Value) -> Value:
        return number(calculate(a, b)) if isinstance(a, float) and isinstance(b, float) else UNDEFINED

    return _binary(Type.NUMBER if left.type is right.type is Type.NUMBER else Type.VALUE, left, right, apply)


def _comparison(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    shared = _shared_type(symbol, left, right, at)
    holds = _COMPARISON[symbol]
    kind = _PYTHON.get(shared)

    def same_type(a: Value, b: Value) -> Value:
        return bool(holds(a, b)) if type(a) is kind and type(b) is kind else UNDEFINED

    def by_order(a: Value, b: Value) -> Value:
        return UNDEFINED if a is UNDEFINED or b is UNDEFINED else bool(holds(order(a), order(b)))

    return _binary(Type.BOOL, left, right, by_order if kind is None else same_type)


def _concatenation(_: str, left: Expression, right: Expression, at: int) -> Expression:
    return functions.call("concat", (left, right), at)


def _coalesce(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    def evaluate(scope: Any) -> Value:
        value = left.evaluate(scope)
        return right.evaluate(scope) if value is UNDEFINED else value

    return Expression(_shared_type(symbol, left, right, at), evaluate)


def _shared_type(symbol: str, left: Expression, right: Expression, at: int) -> Type:
    if left.type is right.type:
        return left.type
    if Type.VALUE in (left.type, right.type) and {left.type, right.type} <= _COMPARABLE_WITH_BODY:
        return Type.VALUE
    raise _mistyped(symbol, at, "operands of one type (as_number makes a number of a property)", left, right)


def _conjunction(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    _check_logical(symbol, left, right, at)
    types = {left.type, right.type}
    if Type.NULL in types:
        if not types <= {Type.NULL, Type.BOOL}:
            raise _mistyped(symbol, at, "booleans", left, right)
        return Expression(Type.NULL, lambda _: NULL)
    return _binary(Type.BOOL, left, right, _both_known(_and) if left.type is Type.VALUE else _and)


def _disjunction(symbol: str, left: Expression, right: Expression, at: int) -> Expression:
    _check_logical(symbol, left, right, at)
    types = {left.type, right.type}
    if types == {Type.NULL}:
        return left
    if types == {Type.NULL, Type.BOOL}:
        return right if left.type is Type.NULL else left
    if types == {Type.NULL, Type.UNDEFINED}:
        raise _mistyped(symbol, at, "booleans", left, right)
    return _binary(Type.BOOL, left, right, _both_known(_or) if left.type is Type.VALUE else _or)


def _check_logical(symbol: str, left: Expression, right: Expression, at: int) -> None:
    if left.type is Type.VALUE:
        return
    if left.type not in _LOGICAL or right.type not in _LOGICAL - {Type.VALUE}:
        takes = "booleans; compare a value of the body: $body.x = true"
        raise _mistyped(symbol, at, takes, left, right)


def _and(a: Value, b: Value) -> Value:
    if a is False or b is False:
        return False
    return True if a is True and b is True else UNDEFINED


def _or(a: Value, b: Value) -> Value:
    if a is True or b is True:
        return True
    return False if a is False and b is False else UNDEFINED


def _both_known(apply: Operation) -> Operation:
    def known(a: Value, b: Value) -> Value:
        return apply(a, b) if isinstance(a, bool) and isinstance(b, bool) else UNDEFINED

    return known


def _unary(result: Type, operand: Expression, apply: Callable[[Any], Value]) -> Expression:
    evaluate = operand.evaluate
    return Expression(result, lambda scope: apply(evaluate(scope)))


def _binary(result: Type, left: Expression, right: Expression, apply: Operation) -> Expression:
    first, second = left.evaluate, right.evaluate
    return Expression(result, lambda scope: apply(first(scope), second(scope)))


def _mistyped(symbol: str, at: int, takes: str, *operands: Expression) -> RouteCompileError:
    found = " and ".join(operand.type.value for operand in operands)
    return RouteCompileError(f"{symbol} takes {takes}, not {found}", at)


_BINARY: Final[Mapping[str, Callable[[str, Expression, Expression, int], Expression]]] = {
    **dict.fromkeys(_ARITHMETIC, _arithmetic),
    **dict.fromkeys(_COMPARISON, _comparison),
    "||": _concatenation,
    "??": _coalesce,
    "AND": _conjunction,
    "OR": _disjunction,
}
