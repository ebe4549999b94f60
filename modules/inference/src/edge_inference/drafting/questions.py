"""Questions whose answers are text, by the place in the contract that they are for."""

from collections.abc import Mapping
from typing import Protocol


class Ask(Protocol):
    """Answers."""

    def __call__(self, key: str, text: str, default: str | None = None) -> str:
        """The answer to a question.

        Args:
            key: Names it, such as ``input.width``.
            text: The question.
            default: What is likely, if something is.

        Raises:
            ValueError: There is no answer.
        """


class Answers:
    """Answers that are known; what is not among them is asked on.

    Args:
        known: By key.
        others: Where the others are asked.
    """

    def __init__(self, known: Mapping[str, str], others: Ask) -> None:
        self._known = known
        self._others = others
        self._used: set[str] = set()

    def __call__(self, key: str, text: str, default: str | None = None) -> str:
        """Known or asked on."""
        self._used.add(key)
        return self._known[key] if key in self._known else self._others(key, text, default)

    @property
    def unused(self) -> list[str]:
        """The keys that nobody has asked for."""
        return sorted(self._known.keys() - self._used)


def likely(key: str, text: str, default: str | None = None) -> str:
    """Takes what is likely; fails where nothing is.

    Raises:
        ValueError: Nothing is.
    """
    if default is None:
        raise ValueError(f"{key} is wanted: {text}")
    return default


def words(text: str) -> list[str]:
    """What stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]
