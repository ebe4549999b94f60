"""From a template to the manifest that IoT Hub takes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge_simulator.manifest import options
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import Project
from edge_simulator.manifest.template import environment, read_document
from edge_simulator.manifest.variables import unset

_TEMPLATE: Final = ".template"


@dataclass(frozen=True, slots=True)
class Expanded:
    """A manifest's text, the name of its file, and the variables that nothing gave a value."""

    file_name: str
    text: str
    unset: list[str]


def expand_template(
    path: Path, env: Mapping[str, str], platform: str, pins: Mapping[str, str] | None = None
) -> Expanded:
    """Replace variables and placeholders, and write createOptions as strings of at most 512 characters.

    `pins` give what stands for an image's name, as `read_pins` returns it.

    Raises:
        ManifestError: the template, or a file that it refers to, cannot be read, or createOptions are too long.
    """
    names = environment(path, env)
    document = read_document(path, names, Project(path, names, platform, pins))
    document.pop("$schema-template", None)
    text = json.dumps(with_chunked_options(document), indent=2) + "\n"
    return Expanded(f"{path.stem.removesuffix(_TEMPLATE)}.{platform}.json", text, unset(text))


def with_chunked_options(value: Any) -> Any:
    """Copy a JSON value, with every createOptions in it as a twin holds it.

    Raises:
        ManifestError: createOptions cannot be put together, or are too long.
    """
    if isinstance(value, list):
        return [with_chunked_options(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "image" in value and any(map(options.FIELD.fullmatch, value)):
        return {name: member for name, member in value.items() if not options.FIELD.fullmatch(name)} | _chunks(value)
    return {name: with_chunked_options(member) for name, member in value.items()}


def _chunks(settings: Mapping[str, Any]) -> dict[str, str]:
    chunks = options.split(options.join(settings))
    if len(chunks) > options.MAX_CHUNKS:
        limit = options.MAX_CHUNKS * options.CHUNK_CHARACTERS
        raise ManifestError(f"the createOptions of {settings.get('image')} are over {limit} characters; shorten them")
    return chunks
