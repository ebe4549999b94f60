"""The built-in functions of conditions, after edgeHub's `query/builtins/*.cs`.

A function is a list of overloads. The first that takes the arguments' types is chosen when the condition is compiled;
a value of the body counts as any type then, and an argument that turns out otherwise makes the result undefined.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge_simulator.routing.errors import RouteCompileError
from edge_simulator.routing.literals import as_number
from edge_simulator.routing.scope import Expression, Scope
from edge_simulator.routing.values import MISSING, NULL, UNDEFINED, Type, Value, number

_STRING: Final = frozenset({Type.STRING, Type.VALUE})
_NUMBER: Final = frozenset({Type.NUMBER, Type.VALUE})
_BOOL: Final = frozenset({Type.BOOL, Type.VALUE})
_ANYTHING: Final = frozenset(Type)
_NAMES: Final = {_STRING: "a string", _NUMBER: "a number"}


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function; `apply` gets the arguments' values. The last parameter of a variadic one repeats."""

    parameters: tuple[frozenset[Type], ...]
    result: Type
    apply: Callable[..., Value]
    variadic: bool = False

    def takes(self, arguments: Sequence[Expression]) -> bool:
        """Tell whether the arguments fit in number and type."""
        spare = len(arguments) - len(self.parameters)
        if spare < 0 or (spare and not self.variadic):
            return False
        parameters = self.parameters + self.parameters[-1:] * spare
        return all(argument.type in types for argument, types in zip(arguments, parameters, strict=True))

    def describe(self) -> str:
        """Return the parameters in words."""
        return ", ".join(_NAMES.get(types, "anything") for types in self.parameters) + (" …" if self.variadic else "")


def call(name: str, arguments: Sequence[Expression], at: int) -> Expression:
    """Compile a call.

    Raises:
        RouteCompileError: there is no such function, or it does not take these arguments.
    """
    overloads = _FUNCTIONS.get(name.lower())
    if overloads is None:
        raise RouteCompileError(f"no function {name}; there are {', '.join(_FUNCTIONS)}", at)
    overload = next((overload for overload in overloads if overload.takes(arguments)), None)
    if overload is None:
        found = ", ".join(argument.type.value for argument in arguments) or "nothing"
        takes = " or ".join(dict.fromkeys(overload.describe() for overload in overloads))
        raise RouteCompileError(f"{name.lower()} takes {takes}, not {found}", at)
    evaluators, apply = [argument.evaluate for argument in arguments], overload.apply

    def evaluate(scope: Scope) -> Value:
        return apply(*[evaluator(scope) for evaluator in evaluators])

    return Expression(overload.result, evaluate)


def _exp(x: float) -> float:
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def _power(x: float, y: float) -> float:
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    except ValueError:  # zero to a negative power, or an even root of a negative number
        return math.inf if x == 0 else math.nan


def _round(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda x: x if math.isinf(x) else float(function(x))


def _substring(text: str, start: float) -> Value:
    return text[int(start) :] if 0 <= start <= len(text) else UNDEFINED


def _substring_of_length(text: str, start: float, length: float) -> Value:
    if not (0 <= start < len(text) and 0 <= length <= len(text) - start):
        return UNDEFINED
    return text[int(start) : int(start) + int(length)]


def _concat(*parts: Value) -> Value:
    texts = [part or "" for part in parts if part is None or isinstance(part, str)]
    return "".join(texts) if len(texts) == len(parts) else UNDEFINED


def _to_number(value: Value) -> Value:
    return as_number(value) if isinstance(value, str) else value if isinstance(value, float) else UNDEFINED


def _is_bool(value: Value) -> Value:
    return UNDEFINED if value is UNDEFINED else isinstance(value, bool)


def _is_null_in_body(value: Value) -> Value:
    # Compares references in edgeHub: true of all that the body has, false of what it lacks. `$body.x = null` is right.
    return UNDEFINED if value is UNDEFINED else value is not MISSING


def _strict(apply: Callable[..., Value], *types: type) -> Callable[..., Value]:
    def checked(*values: Value) -> Value:
        fits = all(type(value) is kind for value, kind in zip(values, types, strict=True))
        return apply(*values) if fits else UNDEFINED

    return checked


def _of_number(apply: Callable[[float], float]) -> tuple[Overload]:
    return (Overload((_NUMBER,), Type.NUMBER, _strict(lambda x: number(apply(x)), float)),)


def _of_text(result: Type, apply: Callable[[str], Value]) -> tuple[Overload]:
    return (Overload((_STRING,), result, _strict(apply, str)),)


def _of_texts(result: Type, apply: Callable[[str, str], Value]) -> tuple[Overload]:
    return (Overload((_STRING, _STRING), result, _strict(apply, str, str)),)


def _test(types: frozenset[Type], apply: Callable[[Value], Value]) -> Overload:
    return Overload((types,), Type.BOOL, apply)


_FUNCTIONS: Final[Mapping[str, tuple[Overload, ...]]] = {
    "abs": _of_number(abs),
    "ceiling": _of_number(_round(math.ceil)),
    "exp": _of_number(_exp),
    "floor": _of_number(_round(math.floor)),
    "power": (Overload((_NUMBER, _NUMBER), Type.NUMBER, _strict(lambda x, y: number(_power(x, y)), float, float)),),
    "sign": _of_number(lambda x: float((x > 0) - (x < 0))),
    "sqrt": _of_number(lambda x: math.sqrt(x) if x >= 0 else math.nan),
    "square": _of_number(lambda x: x * x),
    "as_number": (
        Overload((_STRING,), Type.NUMBER, _to_number),
        Overload((_NUMBER,), Type.NUMBER, _to_number),
    ),
    "is_bool": (_test(_BOOL, _is_bool), _test(_ANYTHING, lambda _: False)),
    "is_defined": (_test(_ANYTHING, lambda value: value is not UNDEFINED),),
    "is_null": (
        _test(frozenset({Type.STRING}), lambda value: value is None),
        _test(frozenset({Type.VALUE}), _is_null_in_body),
        _test(_ANYTHING, lambda value: value is NULL),
    ),
    "is_number": (_test(_ANYTHING, lambda value: isinstance(value, float) and math.isfinite(value)),),
    "is_string": (_test(_ANYTHING, lambda value: isinstance(value, str)),),
    "concat": (Overload((_STRING, _STRING), Type.STRING, _concat, variadic=True),),
    "contains": _of_texts(Type.BOOL, lambda text, part: part in text),
    "ends_with": _of_texts(Type.BOOL, str.endswith),
    "index_of": _of_texts(Type.NUMBER, lambda text, part: float(text.find(part))),
    "length": _of_text(Type.NUMBER, lambda text: float(len(text))),
    "lower": _of_text(Type.STRING, str.lower),
    "starts_with": _of_texts(Type.BOOL, str.startswith),
    "substring": (
        Overload((_STRING, _NUMBER), Type.STRING, _strict(_substring, str, float)),
        Overload((_STRING, _NUMBER, _NUMBER), Type.STRING, _strict(_substring_of_length, str, float, float)),
    ),
    "upper": _of_text(Type.STRING, str.upper),
}
