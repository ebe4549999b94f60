"""What an image runs, read from the Dockerfile that makes it."""

import json
import re
from pathlib import Path
from typing import Final, NamedTuple

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.files import read_text

_INSTRUCTION: Final = re.compile(r"\s*(FROM|ENTRYPOINT|CMD)\s+(.*)", re.IGNORECASE | re.DOTALL)
_CONTINUED: Final = re.compile(r"\\[ \t]*\n")
_COMMENT: Final = re.compile(r"^[ \t]*#.*\n?", re.MULTILINE)


class ImageCommand(NamedTuple):
    """An image's ENTRYPOINT and CMD; either may be empty."""

    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()


def read_command(path: Path) -> ImageCommand:
    """Return what the last stage of a Dockerfile sets.

    Raises:
        ManifestError: the file cannot be read, or a command is not in exec form, `["program", "argument"]`.
    """
    command = ImageCommand()
    for line in _CONTINUED.sub(" ", _COMMENT.sub("", read_text(path))).splitlines():
        match = _INSTRUCTION.fullmatch(line)
        if match is not None:
            command = _apply(command, match[1].upper(), match[2], path)
    return command


def _apply(command: ImageCommand, instruction: str, argument: str, path: Path) -> ImageCommand:
    if instruction == "FROM":
        return ImageCommand()
    words = _exec_form(instruction, argument, path)
    return command._replace(**{instruction.lower(): words})


def _exec_form(instruction: str, argument: str, path: Path) -> tuple[str, ...]:
    try:
        words = json.loads(argument)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ManifestError(f'{instruction} must be in exec form, {instruction} ["program", "argument"]', str(path))
    return tuple(words)
