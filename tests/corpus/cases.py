"""One file of the corpus, and what must become of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A file.

    Attributes:
        name: Its path on the share.
        build: Makes its content.
        code: What it is rejected with where pictures are wanted; None if it is a picture.
        found: The content type that the rejection names, where it is one of ``UNSUPPORTED``.
        pictures: How many it holds, if it is not rejected.
    """

    name: str
    build: Callable[[], bytes]
    code: str | None = None
    found: str = ""
    pictures: int = 1


def unsupported(name: str, found: str, build: Callable[[], bytes]) -> Case:
    """A file that is no picture that can be decoded, and is told what it is."""
    return Case(name, build, "UNSUPPORTED", found)


def bad(name: str, code: str, build: Callable[[], bytes]) -> Case:
    """A file that claims to be a picture."""
    return Case(name, build, code)


def fine(name: str, build: Callable[[], bytes], pictures: int = 1) -> Case:
    """A file that looks odd, and is a picture nevertheless, or several."""
    return Case(name, build, pictures=pictures)
