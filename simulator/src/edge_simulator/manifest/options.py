"""createOptions: what edgeAgent hands to Docker's create-container API, as a JSON string cut into chunks.

The chunks are edge-util's `ChunkedValue` in Azure/iotedge: createOptions, createOptions01, createOptions02 …, of 512
characters each. Templates hold an object instead, and manifests met in the field too.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.model import CreateOptions, JsonObject, Mount
from edge_simulator.manifest.paths import render
from edge_simulator.manifest.shapes import BOOLEAN, TEXT, Choice, Either, Integer, Items, Object

CHUNK_CHARACTERS: Final = 512
MAX_CHUNKS: Final = 8
FIELD: Final = re.compile(r"createOptions([0-9]*)", re.IGNORECASE)

_WORDS: Final = Either(TEXT, Items(TEXT), chooses=str)
_DRIVER: Final = Object(optional={"Options": Object(others=(r".*", TEXT))})
_MOUNT: Final = Object(
    {"Target": TEXT},
    {
        "Source": TEXT,
        "Type": Choice(("bind", "volume", "tmpfs")),
        "ReadOnly": BOOLEAN,
        "VolumeOptions": Object(optional={"DriverConfig": _DRIVER}),
    },
)
_PORT: Final = Object(optional={"HostIp": TEXT, "HostPort": TEXT})
_HOST_CONFIG: Final = Object(
    optional={
        "Binds": Items(TEXT),
        "Mounts": Items(_MOUNT),
        "Tmpfs": Object(others=(r".*", TEXT)),
        "PortBindings": Object(others=(r".*", Items(_PORT))),
        "Memory": Integer(0, 2**63 - 1),
    }
)
_OPTIONS: Final = Object(
    optional={"Env": Items(TEXT), "Entrypoint": _WORDS, "Cmd": _WORDS, "WorkingDir": TEXT, "HostConfig": _HOST_CONFIG}
)


def join(settings: JsonObject) -> JsonObject:
    """Put the chunks in a module's settings together and decode them; none, blank ones and `null` are `{}`.

    Raises:
        ManifestError: a chunk is missing, or the whole is no JSON object.
    """
    chunks = sorted((match[1], settings[match[0]]) for match in map(FIELD.fullmatch, settings) if match)
    match chunks:
        case [(_, Mapping() as options)]:
            return options
        case [(_, None)]:
            return {}
    for index, (number, chunk) in enumerate(chunks):
        expected = f"{index:02}" if index else ""
        if number != expected:
            raise ManifestError(f"createOptions{expected} is missing before createOptions{number}")
        if not isinstance(chunk, str):
            raise ManifestError(f"createOptions{number} must be a string")
    return _decode("".join(chunk for _, chunk in chunks))


def split(options: JsonObject) -> dict[str, str]:
    """Write options as the settings that hold them: one minified JSON string, cut into chunks."""
    text = minified(options)
    starts = range(0, len(text), CHUNK_CHARACTERS)
    return {
        f"createOptions{index:02}" if index else "createOptions": text[start : start + CHUNK_CHARACTERS]
        for index, start in enumerate(starts)
    }


def minified(options: JsonObject) -> str:
    """Write options as the JSON string that is cut into chunks."""
    return json.dumps(options, separators=(",", ":"))


def parse(raw: JsonObject) -> CreateOptions:
    """Read the part that matters without Docker.

    Raises:
        ManifestError: a value does not have the form that Docker's API gives it.
    """
    for problem in _OPTIONS.problems(raw, ("createOptions",)):
        raise ManifestError(f"{problem.reason}; {problem.mend}", render(problem.path))
    host = raw.get("HostConfig") or {}
    return CreateOptions(
        env=dict(_variables(raw.get("Env") or ())),
        entrypoint=_words(raw.get("Entrypoint")),
        cmd=_words(raw.get("Cmd")),
        working_dir=raw.get("WorkingDir") or None,
        binds=[_bind(text) for text in host.get("Binds") or ()],
        mounts=[_mount(mount) for mount in host.get("Mounts") or ()],
        tmpfs=dict(host.get("Tmpfs") or {}),
        raw=raw,
    )


def _decode(text: str) -> JsonObject:
    try:
        options = json.loads(text) if text.strip() else {}
    except (json.JSONDecodeError, RecursionError) as error:
        raise ManifestError(f"createOptions is no JSON: {error}") from error
    if not isinstance(options, dict | None):
        raise ManifestError("createOptions must be a JSON object")
    return options or {}


def _variables(entries: Iterable[str]) -> Iterator[tuple[str, str]]:
    for entry in entries:
        name, _, value = entry.partition("=")
        yield name, value


def _words(value: Any) -> tuple[str, ...] | None:
    if not value:
        return None
    return (value,) if isinstance(value, str) else tuple(value)


def _bind(text: str) -> Mount:
    source, _, rest = text.partition(":")
    target, _, modes = rest.partition(":")
    if not source or not target:
        raise ManifestError(
            f"{text!r} is no bind; write source:target or source:target:ro", "createOptions.HostConfig.Binds"
        )
    is_path = source.startswith(("/", ".", "~"))
    return Mount(source, target, "bind" if is_path else "volume", read_only="ro" in modes.split(","))


def _mount(mount: JsonObject) -> Mount:
    return Mount(
        source=mount.get("Source") or "",
        target=mount["Target"],
        kind=mount.get("Type") or "volume",
        read_only=bool(mount.get("ReadOnly")),
    )
