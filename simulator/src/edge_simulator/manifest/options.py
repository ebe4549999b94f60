"""createOptions: the JSON string that edgeAgent hands to Docker, cut into chunks of 512 characters.

The format is that of edgeAgent's `CreateOptions` and edge-util's `ChunkedValue` in Azure/iotedge.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.model import CreateOptions, JsonObject, Mount

_FIELD: Final = re.compile(r"createOptions(\d*)", re.IGNORECASE)


def join(settings: JsonObject) -> JsonObject:
    """Put the chunks of a module's settings together and decode them; nothing, blank and `null` mean `{}`.

    Raises:
        ManifestError: a chunk is missing, or the whole is not a JSON object.
    """
    chunks = sorted((match[1], settings[match[0]]) for match in map(_FIELD.fullmatch, settings) if match)
    if len(chunks) == 1 and isinstance(chunks[0][1], Mapping):
        return chunks[0][1]
    for expected, (number, _) in enumerate(chunks):
        if number != (f"{expected:02}" if expected else ""):
            raise ManifestError(f"createOptions: chunk {expected:02} is missing before createOptions{number}")
    return _decode("".join(chunk for _, chunk in chunks))


def _decode(text: str) -> JsonObject:
    try:
        options = json.loads(text) if text.strip() else None
    except json.JSONDecodeError as error:
        raise ManifestError(f"createOptions is not JSON: {error}") from error
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise ManifestError("createOptions must be a JSON object")
    return options


def parse(raw: JsonObject) -> CreateOptions:
    """Read the keys that matter without Docker."""
    host = raw.get("HostConfig") or {}
    return CreateOptions(
        env=dict(entry.partition("=")[::2] for entry in raw.get("Env") or []),
        entrypoint=_words(raw.get("Entrypoint")),
        cmd=_words(raw.get("Cmd")),
        working_dir=raw.get("WorkingDir") or None,
        binds=[_bind(text) for text in host.get("Binds") or []],
        mounts=[_mount(mount) for mount in host.get("Mounts") or []],
        tmpfs=dict(host.get("Tmpfs") or {}),
        raw=raw,
    )


def _words(value: str | Iterable[str] | None) -> tuple[str, ...] | None:
    if not value:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _bind(text: str) -> Mount:
    source, target, *modes = text.split(":")
    kind: Any = "bind" if source.startswith(("/", "~", ".")) else "volume"
    return Mount(source, target, kind, read_only="ro" in ",".join(modes).split(","))


def _mount(mount: JsonObject) -> Mount:
    return Mount(mount.get("Source", ""), mount["Target"], mount.get("Type", "volume"), mount.get("ReadOnly", False))
