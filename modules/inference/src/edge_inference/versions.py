"""Which of two versions is the older one."""

import re

Key = tuple[tuple[tuple[int, int, str], ...], bool, tuple[tuple[int, int, str], ...]]


def is_older(version: str, than: str) -> bool:
    """Whether a version comes before another: as Semantic Versioning orders them, and by their numbers otherwise.

    ``1.9`` is older than ``1.10``, ``2.0-rc1`` than ``2.0``; what follows a ``+`` does not count.
    """
    return _key(version) < _key(than)


def _key(version: str) -> Key:
    release, _, candidate = version.partition("+")[0].partition("-")
    return _pieces(release), not candidate, _pieces(candidate)


def _pieces(text: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by their value, words by their letters; a number comes before a word (https://semver.org, 11)."""
    found = re.findall(r"\d+|[A-Za-z]+", text)
    return tuple((0, int(piece), "") if piece.isdigit() else (1, 0, piece) for piece in found)
