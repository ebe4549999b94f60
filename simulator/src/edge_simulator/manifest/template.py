"""From a manifest or template file to a JSON document."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.files import read_text
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.variables import expand, read_env_file

MAX_NESTING: Final = 100  # no twin comes near it, and it keeps what walks a document off the stack's end


def environment(path: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a template: those of `.env` beside it, and above them `env`."""
    return read_env_file(path.parent / ".env") | dict(env)


def read_document(path: Path, env: Mapping[str, str], project: Project) -> dict[str, Any]:
    """Read a file whose placeholders and variables are replaced in its text before it is parsed.

    Raises:
        ManifestError: the file cannot be read, or is no JSON object then.
    """
    return _parse(expand(project.fill_in(read_text(path)), env), path)


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ManifestError(f"no JSON once its variables are replaced: {_explain(error, text)}", str(path)) from error
    if _is_too_deep(document):
        raise ManifestError(f"is nested more than {MAX_NESTING} deep", str(path))
    if not isinstance(document, dict):
        raise ManifestError("must hold a JSON object", str(path))
    return document


def _is_too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_NESTING):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _explain(error: Exception, text: str) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return "it is nested too deeply"
    line = text.splitlines()[error.lineno - 1].strip() if text.strip() else ""
    return f"{error.msg} in line {error.lineno}, {line!r}"
