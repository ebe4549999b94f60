"""How something on the share looks, and what is refused for its looks alone."""

import re
import stat
from dataclasses import dataclass
from os import fsdecode, fsencode, stat_result
from typing import Final, NamedTuple

PRIVATE: Final = ".edge"
"""The suite's own folder at the share's root; never scanned."""


BAD_NAME: Final = "BAD_NAME"


class Signature(NamedTuple):
    """What changes when a file is written to."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Something on the share.

    Attributes:
        path: As the operating system has it, relative to the share's root.
        mode: ``st_mode``, of a symbolic link its own.
        size: Bytes.
        mtime_ns: Of the last modification.
        text: The path for the ledger.
        mark: Of the share that it is on, if that was looked at; see ``marks``.
    """

    path: str
    mode: int
    size: int
    mtime_ns: int
    text: str
    mark: int | None = None

    @classmethod
    def of(cls, path: str, status: stat_result, mark: int | None = None) -> "Sight":
        """What a path's status (not following links) says."""
        return cls(path, status.st_mode, status.st_size, status.st_mtime_ns, path_text(path), mark)

    @property
    def signature(self) -> Signature:
        """What changes when it is written to."""
        return Signature(self.size, self.mtime_ns)

    @property
    def special(self) -> bool:
        """Whether it is neither a file nor a link to one: a pipe, a socket or a device, which somebody may be using."""
        return not (stat.S_ISREG(self.mode) or stat.S_ISLNK(self.mode))


@dataclass(frozen=True, slots=True)
class Found:
    """A file with its content."""

    sight: Sight
    sha256: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Something that cannot become an item, and why."""

    sight: Sight
    code: str
    reason: str


def refusal_of(sight: Sight, max_bytes: int) -> Refusal | None:
    """Why something that has settled cannot become an item, if so."""
    for refused, code, reason in (
        (not _is_text(sight.path), BAD_NAME, "its name is not UTF-8"),
        (stat.S_ISLNK(sight.mode), "SYMLINK", "it is a symbolic link"),
        (sight.size > max_bytes, "TOO_LARGE", f"its {sight.size} bytes are more than maxBytes, {max_bytes}"),
        (sight.size == 0, "EMPTY", "it is empty"),
    ):
        if refused:
            return Refusal(sight, code, reason)
    return None


def path_text(path: str) -> str:
    r"""A path in valid UTF-8; where it is not, each wrong byte becomes ``\xNN``, and each backslash two."""
    if _is_text(path):
        return path
    return fsencode(path).replace(b"\\", b"\\\\").decode(errors="backslashreplace")


def text_path(text: str) -> str:
    """The path that ``path_text`` made a text of, where its name is not UTF-8."""
    return fsdecode(re.sub(rb"\\(\\|x([0-9a-f]{2}))", _unescape, text.encode()))


def _unescape(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[2].decode()) if match[2] else b"\\"


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
