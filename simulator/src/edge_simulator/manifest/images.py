"""The modules that a project builds: their `module.json`, the images named after it, and what those images run."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.variables import expand

_INSTRUCTION: Final = re.compile(r"\s*(FROM|ENTRYPOINT|CMD)\s+(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A module folder with what its `module.json` says of the image; `dockerfiles` by platform."""

    folder: Path
    repository: str
    version: str
    dockerfiles: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, env: Mapping[str, str]) -> Self:
        """Read `module.json`.

        Raises:
            ManifestError: the file is missing or does not have the form that IoT Edge's tools agree on.
        """
        path = folder / "module.json"
        try:
            image = json.loads(expand(path.read_text(encoding="utf-8"), env))["image"]
            tag = image["tag"]
            return cls(folder, image["repository"].lower(), tag["version"], tag["platforms"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise ManifestError(f"{path}: cannot be read as a module.json: {error!r}") from error

    def name(self, platform: str, container_tag: str = "") -> str:
        """Return the image's full name for a platform such as `amd64` or `amd64.debug`."""
        suffix = f"-{container_tag}" if container_tag else ""
        return f"{self.repository}:{self.version}{suffix}-{platform}"

    def command(self, image: str, platform: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return ENTRYPOINT and CMD of the image's Dockerfile."""
        fitting = [known for known in self.dockerfiles if image.endswith(f"-{known}")]
        dockerfile = self.dockerfiles.get(max(fitting, key=len, default=platform))
        if dockerfile is None:
            return (), ()
        return _commands(self.folder / dockerfile)


def sources(modules: Path, env: Mapping[str, str]) -> Iterator[ImageSource]:
    """Yield every module folder below `modules`."""
    for path in sorted(modules.glob("*/module.json")):
        yield ImageSource.read(path.parent, env)


def _commands(dockerfile: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        text = dockerfile.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{dockerfile}: {error.strerror}") from error
    found: dict[str, str] = {}
    for line in text.replace("\\\n", " ").splitlines():
        if match := _INSTRUCTION.match(line):
            found = {} if match[1].upper() == "FROM" else found | {match[1].upper(): match[2]}
    return _exec_form(found.get("ENTRYPOINT", "[]")), _exec_form(found.get("CMD", "[]"))


def _exec_form(text: str) -> tuple[str, ...]:
    return tuple(json.loads(text)) if text.startswith("[") else ()
