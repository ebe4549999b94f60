"""Which form JSON values must have; checking one names every place that deviates.

Null stands for a value that is not there, as in Docker's API and in twins.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from edge_simulator.manifest.paths import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that does not have its form: what is wrong with it, and what to write."""

    path: Path
    reason: str
    mend: str


class Shape(Protocol):
    """A form of JSON values."""

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield what deviates from the form."""
        ...


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value of one of some Python types; a boolean is no number."""

    name: str
    types: tuple[type, ...]

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is of another type."""
        if type(value) not in self.types:
            yield _unfit(path, value, self.name)


TEXT = Scalar("a string", (str,))
BOOLEAN = Scalar("true or false", (bool,))
SCALAR = Scalar("a string, a number or a boolean", (str, int, float, bool))


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value."""

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:  # noqa: ARG002 (the protocol's form)
        """Yield nothing."""
        yield from ()


ANYTHING = Anything()


@dataclass(frozen=True, slots=True)
class Text:
    """A string that a pattern fits; the name says in words which."""

    pattern: str
    name: str

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is no such string."""
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            yield _unfit(path, value, self.name)


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number, both ends included."""

    lowest: int
    highest: int

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is no such number."""
        if type(value) is not int or not self.lowest <= value <= self.highest:
            yield _unfit(path, value, f"an integer from {self.lowest} to {self.highest}")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is none of them."""
        if value not in self.words:
            yield _unfit(path, value, " or ".join(self.words))


@dataclass(frozen=True, slots=True)
class Either:
    """A value of the first form if it is of the type that `chooses` it, else of the second."""

    first: Shape
    second: Shape
    chooses: type

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield what deviates from the form that the value's type chooses."""
        shape = self.first if isinstance(value, self.chooses) else self.second
        yield from shape.problems(value, path)


@dataclass(frozen=True, slots=True)
class Items:
    """An array of values of one form."""

    item: Shape

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is no array, else what deviates in it."""
        if not isinstance(value, list):
            yield _unfit(path, value, "an array")
            return
        for index, item in enumerate(value):
            yield from self.item.problems(item, (*path, index))


@dataclass(frozen=True, slots=True)
class Object:
    """An object: members that it must have, may have, and others whose names fit a pattern, unless that is None."""

    required: Mapping[str, Shape] = field(default_factory=dict)
    optional: Mapping[str, Shape] = field(default_factory=dict)
    others: tuple[str, Shape] | None = (r".*", ANYTHING)

    def problems(self, value: Any, path: Path) -> Iterator[Problem]:
        """Yield the value if it is no object, else what deviates in it."""
        if not isinstance(value, Mapping):
            yield _unfit(path, value, "an object")
            return
        for name in self.required:
            if value.get(name) is None:
                yield Problem((*path, name), "is missing", "add it")
        for name, member in value.items():
            if member is not None:
                yield from self._member(name, member, path)

    def _member(self, name: str, member: Any, path: Path) -> Iterator[Problem]:
        shape = self.required.get(name) or self.optional.get(name)
        if shape is None and self.others is not None and re.fullmatch(self.others[0], name, re.DOTALL):
            shape = self.others[1]
        if shape is None:
            yield Problem((*path, name), "does not belong here", "remove it, or correct its name")
        else:
            yield from shape.problems(member, (*path, name))


def _unfit(path: Path, value: Any, expected: str) -> Problem:
    found = {dict: "an object", list: "an array", type(None): "null"}.get(type(value)) or repr(value)
    return Problem(path, f"is {found}", f"write {expected}")
