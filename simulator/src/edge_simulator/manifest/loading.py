"""From a manifest or template file to a `Manifest`."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from dotenv import dotenv_values

from edge_simulator.manifest import options
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.images import ImageSource, sources
from edge_simulator.manifest.model import LAST_TO_START, CreateOptions, JsonObject, Manifest, ModuleSpec
from edge_simulator.manifest.variables import expand

_IMAGE: Final = re.compile(r"\$\{MODULES\.([^.}<>]+)(?:\.([^}]+?))??(\.debug)?\}")


def load(path: Path, env: Mapping[str, str], platform: str = "amd64") -> Manifest:
    """Read a manifest or a template, which is expanded from `env`, a `.env` file beside it and the modules' folders.

    Raises:
        ManifestError: the file, or a file that it refers to, cannot be read or understood.
    """
    names = _with_dotenv(path, env)
    modules = _modules_folder(path, names)
    text = _IMAGE.sub(
        lambda match: ImageSource.read(modules / match[1], names).name((match[2] or platform) + (match[3] or "")),
        _read(path),
    )
    try:
        document = json.loads(expand(text, names))
    except json.JSONDecodeError as error:
        raise ManifestError(f"{path}: {error}") from error
    content = {name: twin["properties.desired"] for name, twin in document["modulesContent"].items()}
    agent, hub = content.pop("$edgeAgent"), content.pop("$edgeHub")
    images = {source.repository: source for source in sources(modules, names)}
    specs = {name: _spec(name, raw, images, platform) for name, raw in agent.get("modules", {}).items()}
    return Manifest(hub=hub, agent=agent, modules=specs, twins=content)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error


def _with_dotenv(path: Path, env: Mapping[str, str]) -> dict[str, str]:
    beside = {name: value for name, value in dotenv_values(path.parent / ".env").items() if value is not None}
    return beside | dict(env)


def _modules_folder(path: Path, env: Mapping[str, str]) -> Path:
    name = env.get("MODULES_PATH", "modules")
    folders = [parent / name for parent in path.resolve().parents]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def _spec(name: str, raw: JsonObject, images: Mapping[str, ImageSource], platform: str) -> ModuleSpec:
    settings = raw["settings"]
    create = options.parse(options.join(settings))
    image = settings["image"].strip()
    return ModuleSpec(
        name=name,
        image=image,
        status=raw.get("status", "running"),
        restart_policy=raw.get("restartPolicy", "always"),
        startup_order=raw.get("startupOrder", LAST_TO_START),
        env={key: _text(entry["value"]) for key, entry in (raw.get("env") or {}).items()},
        options=create,
        command=_command(image, create, images, platform),
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _command(image: str, create: CreateOptions, images: Mapping[str, ImageSource], platform: str) -> tuple[str, ...]:
    source = images.get(image.rpartition(":")[0].lower())
    entrypoint, cmd = source.command(image, platform) if source and not create.entrypoint else ((), ())
    return (create.entrypoint or entrypoint) + (create.cmd or cmd)
