"""`make new-module NAME=…`: lays out a module that works, with its test and what a deployment needs to have it."""

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
FILES: Final = Path(__file__).with_name("module")

NAME: Final = re.compile(r"[a-z][a-z0-9]{0,30}")
"""What can be a part of a package's name, an image's and an IoT Edge module's alike."""

USER: Final = re.compile(r"^USER (\d+):10000$", re.MULTILINE)

PLACES: Final = (
    ("modules/upload/src:", "$MYPY_CONFIG_FILE_DIR/modules/{}/src:"),
    ('    "edge_upload",\n', '    "edge_{}",\n'),
    ("edge_inference | edge_upload", " | edge_{}"),
    ('"edge_inference", "edge_upload"', ', "edge_{}"'),
)
"""What stands once in pyproject.toml, and what goes behind it, so that types and layers are checked."""


class RefusedError(Exception):
    """There can be no module of that name."""


def main(name: str) -> None:
    """Lay out a module, and say what is left to be done by hand."""
    _check(name)
    words = {"NAME": name, "UID": str(_free_user())}
    _enlist(name)
    for path in sorted(FILES.rglob("*")):
        if path.is_file():
            _lay_out(path, words)
    _explain(name)


def _check(name: str) -> None:
    if not NAME.fullmatch(name):
        raise RefusedError(f"{name!r} is no name: use lower-case letters and digits, a letter first")
    if (ROOT / "modules" / name).exists():
        raise RefusedError(f"there is a module {name}")


def _free_user() -> int:
    """The user after all that modules have, so that no two can read each other's files."""
    dockerfiles = (path.read_text(encoding="utf-8") for path in ROOT.glob("modules/*/Dockerfile.*"))
    return 1 + max(int(user) for text in dockerfiles for user in USER.findall(text))


def _enlist(name: str) -> None:
    """Name the package where those of the other modules are named."""
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    for before, added in PLACES:
        if text.count(before) != 1:
            raise RefusedError(f"{path.name} was changed: {before!r} should stand in it once")
        text = text.replace(before, before + added.format(name))
    path.write_text(text, encoding="utf-8")


def _lay_out(path: Path, words: Mapping[str, str]) -> None:
    """Copy a file, with the words in its path and in its text replaced."""
    target = ROOT / _filled(path.relative_to(FILES).as_posix(), words)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(_filled(path.read_text(encoding="utf-8"), words), encoding="utf-8")


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(word, value)
    return text


def _explain(name: str) -> None:
    part = Path("modules") / name / "deployment.part.json"
    print(f"modules/{name} and tests/unit/{name} are laid out: a module that counts predictions by their labels.")
    print(f"To deploy it, put what {part} has into deployment.template.json; its routes are")
    for route in json.loads((ROOT / part).read_text(encoding="utf-8"))["routes"].values():
        print(f"    {route['route']}")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RefusedError as error:
        sys.exit(f"new-module: {error}")
