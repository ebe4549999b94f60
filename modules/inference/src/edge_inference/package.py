"""A model package: files under one manifest, whose digest is the model's identity.

The format is CNCF ModelPack's in an OCI image manifest: a config blob that names model and version, and one raw layer
a file, whose annotation says where it goes (https://github.com/modelpack/model-spec). ``model.onnx`` and
``contract.json`` must be among the files. Equal files, name and version always give the same manifest.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from edge_inference.errors import UnsafeModelError

GRAPH: Final = "model.onnx"
CONTRACT: Final = "contract.json"
GOLDEN: Final = "golden.json"
DRIFT: Final = "drift.json"

MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT_TYPE: Final = "application/vnd.cncf.model.manifest.v1+json"
CONFIG_TYPE: Final = "application/vnd.cncf.model.config.v1+json"
WEIGHT_TYPE: Final = "application/vnd.cncf.model.weight.v1.raw"
SETTINGS_TYPE: Final = "application/vnd.cncf.model.weight.config.v1.raw"
DOCUMENT_TYPE: Final = "application/vnd.cncf.model.doc.v1.raw"

FILEPATH: Final = "org.cncf.model.filepath"
TITLE: Final = "org.opencontainers.image.title"
"""What the ``oras`` command line names a file by."""

MOST_MANIFEST_BYTES: Final = 4 << 20
"""Registries refuse larger manifests."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
"""What a model and a version may be called: so both can stand in a tag, a route and a file name."""

_TYPES: Final = {".json": SETTINGS_TYPE, ".txt": SETTINGS_TYPE, ".yaml": SETTINGS_TYPE, ".md": DOCUMENT_TYPE}
_MOST_PART = 255


class Json(BaseModel):
    """A document of OCI's: what it may hold besides is not ours to refuse."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class Descriptor(Json):
    """What OCI says of a blob: its kind, its SHA-256, its size in bytes."""

    media_type: str
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=0)]
    annotations: Mapping[str, str] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.annotations.get(FILEPATH, self.digest)


class Outline(Json):
    """What any manifest says: of which blobs something consists.

    https://github.com/opencontainers/image-spec/blob/main/manifest.md
    """

    schema_version: Literal[2]
    config: Descriptor
    layers: Annotated[tuple[Descriptor, ...], Field(min_length=1)]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """What is to be fetched."""
        return (self.config, *self.layers)

    @property
    def total(self) -> int:
        """Bytes of all blobs, as declared."""
        return sum(blob.size for blob in self.blobs)


class Manifest(Outline):
    """What a package consists of."""

    media_type: Literal["application/vnd.oci.image.manifest.v1+json"]
    artifact_type: Literal["application/vnd.cncf.model.manifest.v1+json"]

    @property
    def files(self) -> dict[str, Descriptor]:
        """The package's files by name."""
        return {layer.annotations[FILEPATH]: layer for layer in self.layers}


class _Descriptor(Json):
    name: str
    version: str


class _Config(Json):
    descriptor: _Descriptor


@dataclass(frozen=True)
class Package:
    """A package as two documents; the files themselves lie elsewhere."""

    manifest: bytes
    config: bytes

    @property
    def digest(self) -> str:
        """The model's identity."""
        return digest_of(self.manifest)


def digest_of(data: bytes) -> str:
    """SHA-256 as OCI writes it: ``sha256:`` and 64 digits of hex."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def blob_name(digest: str) -> str:
    """Where an OCI image layout keeps a blob."""
    return "blobs/" + digest.replace(":", "/")


def media_type(name: str) -> str:
    """The ModelPack media type of a file, by its name; what is unknown counts as weights."""
    path = PurePosixPath(name)
    return DOCUMENT_TYPE if path.name == "LICENSE" else _TYPES.get(path.suffix, WEIGHT_TYPE)


def layer(name: str, digest: str, size: int) -> Descriptor:
    """The layer that a file becomes."""
    annotations = {FILEPATH: name, TITLE: name}
    return Descriptor(media_type=media_type(name), digest=digest, size=size, annotations=annotations)


def compose(name: str, version: str, layers: Iterable[Descriptor]) -> Package:
    """Write the documents of a package.

    Args:
        name: The model's.
        version: The model's.
        layers: One a file; their order does not matter.

    Raises:
        ValueError: Name or version may not be used.
        UnsafeModelError: The files are no package, or a file's name is unsafe.
    """
    for text in (name, version):
        if not NAME.fullmatch(text):
            raise ValueError(f"{text!r} is no name: letters, digits, '.', '_' and '-', at most 128, no sign in front")
    ordered = sorted(layers, key=lambda entry: entry.annotations[FILEPATH])
    check_names([entry.annotations[FILEPATH] for entry in ordered])
    config = _canonical(
        {
            "descriptor": {"name": name, "version": version},
            "config": {"format": "onnx"},
            "modelfs": {"type": "layers", "diffIds": [entry.digest for entry in ordered]},
        }
    )
    manifest = Manifest(
        schema_version=2,
        media_type=MANIFEST_TYPE,
        artifact_type=ARTIFACT_TYPE,
        config=Descriptor(media_type=CONFIG_TYPE, digest=digest_of(config), size=len(config)),
        layers=tuple(ordered),
    )
    return Package(_canonical(manifest.model_dump(by_alias=True, exclude_defaults=True)), config)


def read_manifest(data: bytes) -> Manifest:
    """Read a manifest that came from elsewhere.

    Raises:
        UnsafeModelError: It is not the manifest of a model package, or a file's name is unsafe.
    """
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UnsafeModelError(
            f"not the manifest of a model package: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from None
    if manifest.config.media_type != CONFIG_TYPE:
        raise UnsafeModelError(f"the manifest's config is of type {manifest.config.media_type}, not {CONFIG_TYPE}")
    for entry in manifest.layers:
        if not entry.media_type.endswith(".raw") or FILEPATH not in entry.annotations:
            raise UnsafeModelError(f"layer {entry.digest} ({entry.media_type}) is not a raw file with a {FILEPATH}")
    check_names([entry.annotations[FILEPATH] for entry in manifest.layers])
    return manifest


def read_config(data: bytes) -> tuple[str, str]:
    """The model's name and version, from a package's config blob.

    Raises:
        UnsafeModelError: It names none.
    """
    try:
        descriptor = _Config.model_validate_json(data).descriptor
    except ValidationError:
        raise UnsafeModelError("the package's config names no model and version") from None
    return descriptor.name, descriptor.version


def check_names(names: Iterable[str]) -> None:
    """See that files can be put under their names in any folder, on any file system, without harm.

    Raises:
        UnsafeModelError: A name is absolute, climbs, holds NUL, is too long, or collides with another.
    """
    every = list(names)
    seen: set[str] = set()
    for name in every:
        parts = name.split("/")
        if any(part in {"", ".", ".."} or len(part.encode()) > _MOST_PART for part in parts) or {"\0", "\\"} & {*name}:
            raise UnsafeModelError(f"{name[:100]!r} is no safe name for a file")
        if name.casefold() in seen:
            raise UnsafeModelError(f"{name!r} is there twice, or differs from another name by case only")
        seen.add(name.casefold())
    for name in seen:
        if any(parent.as_posix() in seen for parent in PurePosixPath(name).parents):
            raise UnsafeModelError(f"{name!r} lies under a name that is a file")
    if not {GRAPH, CONTRACT} <= set(every):
        raise UnsafeModelError(f"a model package holds {GRAPH} and {CONTRACT}")


def _canonical(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
