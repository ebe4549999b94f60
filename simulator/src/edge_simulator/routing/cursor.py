"""A place in a text's tokens, and the ways to move on from it."""

from typing import Final, NoReturn

from edge_simulator.routing.errors import RouteParseError
from edge_simulator.routing.tokens import Kind, Token, tokenize

_OPERATORS: Final = (Kind.SYMBOL, Kind.WORD_OPERATOR)


class Cursor:
    """Stands on a token; the last one, `END`, is never left."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = list(tokenize(text))
        self._next = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self._tokens[self._next]

    @property
    def previous(self) -> Token:
        """The token that was taken last."""
        return self._tokens[self._next - 1]

    def take(self) -> Token:
        """Move on, and return the token that was next."""
        token = self.token
        self._next = min(self._next + 1, len(self._tokens) - 1)
        return token

    def operator(self) -> str | None:
        """Return the next token's operator or symbol, words in capitals."""
        return self.token.text.upper() if self.token.kind in _OPERATORS else None

    def accept(self, symbol: str) -> bool:
        """Take a symbol if it comes next."""
        found = self.operator() == symbol
        if found:
            self.take()
        return found

    def expect(self, what: str | Kind) -> Token:
        """Take a symbol or a token of a kind.

        Raises:
            RouteParseError: something else comes next.
        """
        if what not in (self.operator(), self.token.kind):
            self.fail(what.value if isinstance(what, Kind) else repr(what))
        return self.take()

    def fail(self, expected: str) -> NoReturn:
        """Refuse the token that comes next."""
        found = "the end" if self.token.kind is Kind.END else repr(self.token.text)
        raise RouteParseError(f"expected {expected}, found {found}", self.token.at)
