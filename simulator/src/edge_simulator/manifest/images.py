"""The modules that a project builds: their `module.json` and the names and commands of their images."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from edge_simulator.manifest.dockerfile import ImageCommand, read_command
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.files import read_text
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.shapes import TEXT, Object
from edge_simulator.manifest.variables import expand

_PLACEHOLDER: Final = re.compile(
    r"\$\{(?:MODULES\.(?P<name>[^.}]+)|MODULEDIR<(?P<path>[^>]+)>)(?:\.(?P<platform>[^}]+))?\}"
)
_TAG: Final = Object({"version": TEXT, "platforms": Object(others=(r".*", TEXT))})
_MODULE_JSON: Final = Object({"image": Object({"repository": TEXT, "tag": _TAG})})
_PINS: Final = Object(others=(r".*", TEXT))
_DEBUG: Final = "debug"


@dataclass(frozen=True, slots=True)
class ImageSource:
    """A module's folder with what its `module.json` says of its images, whose Dockerfiles are named by platform."""

    folder: Path
    repository: str
    version: str
    dockerfiles: Mapping[str, str]

    @classmethod
    def read(cls, folder: Path, env: Mapping[str, str]) -> Self:
        """Read `module.json`, in which variables are replaced.

        Raises:
            ManifestError: the file is missing or does not have the form that IoT Edge's tools agree on.
        """
        path = folder / "module.json"
        image = _read_module_json(path, env)["image"]
        repository = image["repository"]
        if "$" not in repository:  # else a variable has no value, and is named in what is said about it
            repository = repository.lower()
        version = "-".join(filter(None, (image["tag"]["version"], env.get("CONTAINER_TAG"))))
        return cls(folder, repository, version, image["tag"]["platforms"])

    def name(self, platform: str) -> str:
        """Return the name of the image for a platform; without one for `amd64.gpu`, that for `amd64`."""
        base, _, variant = platform.rpartition(".")
        falls_back = platform not in self.dockerfiles and base in self.dockerfiles and variant != _DEBUG
        return f"{self.repository}:{self.version}-{base if falls_back else platform}"

    def command(self, image: str, platform: str) -> ImageCommand:
        """Return what an image of this module runs; its name tells the platform, or else the argument does."""
        named = [known for known in self.dockerfiles if image.endswith(f"-{known}")]
        dockerfile = self.dockerfiles.get(max(named, key=len, default=platform))
        return ImageCommand() if dockerfile is None else read_command(self.folder / dockerfile)


class Project:
    """The folder that a manifest lies in, with the modules that are built in it.

    Args:
        manifest: The manifest or template.
        env: Variables for `module.json`.
        platform: That of images whose placeholder names none.
        pins: What stands in a manifest for the name of an image, such as the name with its digest.
    """

    def __init__(
        self, manifest: Path, env: Mapping[str, str], platform: str, pins: Mapping[str, str] | None = None
    ) -> None:
        self._root = manifest.resolve().parent
        self._env = env
        self._platform = platform
        self._pins = pins or {}
        self._modules = _modules_folder(manifest, env.get("MODULES_PATH", "modules"))

    def fill_in(self, text: str) -> str:
        """Replace `${MODULES.name[.platform]}` and `${MODULEDIR<path>[.platform]}` by names of images.

        Raises:
            ManifestError: a module's `module.json` cannot be read.
        """
        return _PLACEHOLDER.sub(self._image_name, text)

    def command(self, image: str) -> ImageCommand:
        """Return what an image runs; nothing if none of the modules here makes it.

        Raises:
            ManifestError: a `module.json` or the Dockerfile cannot be read.
        """
        repository = image.partition("@")[0]
        if ":" in repository.rpartition("/")[2]:
            repository = repository.rpartition(":")[0]
        for path in sorted(self._modules.glob("*/module.json")):
            source = ImageSource.read(path.parent, self._env)
            if source.repository.lower() == repository.lower():
                return source.command(image, self._platform)
        return ImageCommand()

    def _image_name(self, placeholder: re.Match[str]) -> str:
        folder = self._modules / placeholder["name"] if placeholder["name"] else self._root / placeholder["path"]
        platform = placeholder["platform"] or self._platform
        if platform == _DEBUG:
            platform = f"{self._platform}.{_DEBUG}"
        name = ImageSource.read(folder, self._env).name(platform)
        return self._pins.get(name, name)


def read_pins(path: Path) -> dict[str, str]:
    """Read the record of pushed images: a JSON object, from an image's name to the same with its digest.

    Raises:
        ManifestError: the file cannot be read, or holds something else.
    """
    try:
        pins = json.loads(read_text(path))
    except ValueError as error:
        raise ManifestError(f"is no JSON: {error}", str(path)) from error
    for problem in _PINS.problems(pins, ()):
        raise ManifestError(f"{render(problem.path)} {problem.reason}; {problem.mend}", str(path))
    return dict(pins)


def _modules_folder(manifest: Path, name: str) -> Path:
    # A template lies beside the modules' folder, a manifest made from it in a folder below.
    candidates = [parent / name for parent in manifest.resolve().parents]
    return next((folder for folder in candidates if folder.is_dir()), candidates[0])


def _read_module_json(path: Path, env: Mapping[str, str]) -> Any:
    try:
        document = json.loads(expand(read_text(path), env))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"is no JSON: {error}", str(path)) from error
    for problem in _MODULE_JSON.problems(document, ()):
        raise ManifestError(f"{render(problem.path)} {problem.reason}; {problem.mend}", str(path))
    return document
