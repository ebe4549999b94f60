"""From a query's text to what finds twins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from edge_simulator.service.query.errors import QueryError
from edge_simulator.service.query.functions import FUNCTIONS
from edge_simulator.service.query.tokens import Token, tokens
from edge_simulator.service.query.values import (
    COMPARISONS,
    Condition,
    JsonObject,
    Operand,
    compare,
    conjoin,
    disjoin,
    lookup,
    negate,
)

Collection = Literal["devices", "devices.modules"]

_KEYWORDS: Final = frozenset({"select", "from", "where", "and", "or", "not", "in"})
_MOST_NESTED: Final = 50


@dataclass(frozen=True, slots=True)
class Query:
    """The twins of devices or of modules for which a condition is true."""

    collection: Collection
    condition: Condition

    def matches(self, twin: JsonObject) -> bool:
        """Say whether a twin, as the service API shows it, is among them."""
        return self.condition(twin) is True


def parse_query(text: str) -> Query:
    """Read `SELECT * FROM devices[.modules] [WHERE condition]`.

    Raises:
        QueryError: it is none.
    """
    parser = _Parser(text)
    parser.expect("select")
    parser.expect("*")
    return parser.rest_of_query()


def parse_target(text: str) -> Query:
    """Read a configuration's target condition: a condition, `*`, or `FROM devices.modules [WHERE condition]`.

    Raises:
        QueryError: it is none.
    """
    parser = _Parser(text)
    if parser.next.key == "from":
        return parser.rest_of_query()
    if parser.take("*"):
        parser.expect_end()
        return Query("devices", _always)
    return Query("devices", parser.whole_condition())


def _always(_: JsonObject) -> bool:
    return True


class _Parser:
    """Recursive descent over a query's tokens."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._at = 0
        self._depth = 0

    # --- tokens -------------------------------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._at]

    def take(self, *keys: str) -> bool:
        """Go over the next token if it is one of these."""
        if self.next.key not in keys:
            return False
        self._at += 1
        return True

    def expect(self, key: str) -> None:
        """Go over the next token, which must be this one."""
        if not self.take(key):
            raise self._error(key.upper())

    def expect_end(self) -> None:
        """Check that nothing follows."""
        if self.next.text:
            raise self._error("the end")

    def _error(self, wanted: str) -> QueryError:
        found = repr(self.next.text) if self.next.text else "the end"
        return QueryError(f"expected {wanted}, found {found} (at character {self.next.at + 1})")

    # --- grammar ------------------------------------------------------------------------------------------------------

    def rest_of_query(self) -> Query:
        """Read from FROM on."""
        self.expect("from")
        collection: Collection = "devices.modules" if self.next.key == "devices.modules" else "devices"
        self.expect(collection)
        if self.take("where"):
            return Query(collection, self.whole_condition())
        self.expect_end()
        return Query(collection, _always)

    def whole_condition(self) -> Condition:
        """Read a condition, and nothing after it."""
        condition = self._any()
        self.expect_end()
        return condition

    def _any(self) -> Condition:
        return self._joined("or", self._all, disjoin)

    def _all(self) -> Condition:
        return self._joined("and", self._one, conjoin)

    def _joined(
        self, word: str, part: Callable[[], Condition], join: Callable[[list[Condition]], Condition]
    ) -> Condition:
        conditions = [part()]
        while self.take(word):
            conditions.append(part())
        return conditions[0] if len(conditions) == 1 else join(conditions)

    def _one(self) -> Condition:
        self._depth += 1
        if self._depth > _MOST_NESTED:
            raise QueryError(f"conditions are nested more than {_MOST_NESTED} deep")
        try:
            return self._nested()
        finally:
            self._depth -= 1

    def _nested(self) -> Condition:
        if self.take("not"):
            negated = self._one()
            return lambda twin: negate(negated(twin))
        if self.take("("):
            condition = self._any()
            self.expect(")")
            return condition
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self._operand()
        sign = self.next.key
        if self.take(*COMPARISONS):
            right = self._operand()
            return lambda twin: compare(sign, left(twin), right(twin))
        if self.take("not"):
            self.expect("in")
            among = self._among(left)
            return lambda twin: negate(among(twin))
        if self.take("in"):
            return self._among(left)
        return lambda twin: compare("=", left(twin), right=True)

    def _among(self, left: Operand) -> Condition:
        self.expect("[")
        choices = self._listed("]")
        return disjoin([_equals(left, choice) for choice in choices])

    def _listed(self, end: str) -> list[Operand]:
        items = [self._operand()]
        while self.take(","):
            items.append(self._operand())
        self.expect(end)
        return items

    def _operand(self) -> Operand:
        token = self.next
        if token.key in _KEYWORDS or not (token.is_constant or token.is_name):
            raise self._error("a value or a property")
        self._at += 1
        if token.is_constant:
            return lambda _: token.value
        if self.take("("):
            return self._call(token)
        return lookup([name.removeprefix("[[").removesuffix("]]") for name in token.text.split(".")])

    def _call(self, name: Token) -> Operand:
        arguments = self._listed(")")
        function, count = FUNCTIONS.get(name.key, (None, 0))
        if function is None or len(arguments) != count:
            known = ", ".join(sorted(FUNCTIONS)).upper()
            raise QueryError(f"{name.text} with {len(arguments)} argument(s) is no function; there are {known}")
        return lambda twin: function(*(argument(twin) for argument in arguments))


def _equals(left: Operand, right: Operand) -> Condition:
    return lambda twin: compare("=", left(twin), right(twin))
