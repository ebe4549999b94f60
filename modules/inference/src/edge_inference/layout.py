"""OCI image layout directories: how a package travels without a registry.

https://github.com/opencontainers/image-spec/blob/main/image-layout.md
"""

import json
import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from edge_common.files import atomic_writer, write_atomically
from edge_common.messages import ModelIdentity
from edge_inference.errors import NotFoundError, UnsafeModelError
from edge_inference.golden import run_golden
from edge_inference.images import Image, describe_manifest, read_outline
from edge_inference.model import load_model, verify
from edge_inference.onnx_session import OnnxSession
from edge_inference.package import (
    FILEPATH,
    MANIFEST_TYPE,
    Descriptor,
    Manifest,
    Package,
    blob_name,
    digest_of,
    read_manifest,
)
from edge_inference.plainfiles import open_plain
from edge_inference.session import Plan
from edge_inference.signing.manifest import SIGNATURE_TYPE, Signature
from edge_inference.signing.referrers import INDEX_TYPE, REF_NAME
from edge_inference.signing.signer import Signer
from edge_inference.sources import LayoutSource, describe

_EMPTY_INDEX: Final = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}


@dataclass(frozen=True)
class Entry:
    """A package in a layout: its tag, ``name:version`` (empty where there is none), and its manifest's digest."""

    tag: str
    digest: str


def pack(folder: Path, layout: Path, name: str, version: str) -> str:
    """Check a package and put it in a layout, beside what is there; the tag moves to it.

    Args:
        folder: ``model.onnx``, ``contract.json``, and whatever else belongs to the model.
        layout: The layout's directory; made if it is not there.
        name: The model's.
        version: The model's.

    Returns:
        The reference that a twin takes, ``oci:<layout's own name>@sha256:<hex>``; put the path that leads to the
        layout from the module's ``MODEL_DIR`` in front of the name where it lies deeper.

    Raises:
        ValueError: Name or version may not be used.
        ModelError: The package would be refused, for that reason.
        OSError: The layout cannot be written.
    """
    package = describe(folder, name, version)
    identity = ModelIdentity(name=name, version=version, digest=package.digest)
    plan = Plan(("CPUExecutionProvider",), require_gpu=False)
    model = load_model(folder, identity, verify(folder), OnnxSession, plan)
    model.warm_up()
    run_golden(model, folder, least=1.0)
    add(folder, package, layout, f"{name}:{version}")
    return f"oci:{layout.resolve().name}@{package.digest}"


def add(folder: Path, package: Package, layout: Path, tag: str) -> None:
    """Write a package's blobs, and only then its entry in the index.

    Raises:
        OSError: The layout cannot be written.
    """
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    manifest = read_manifest(package.manifest)
    for blob in manifest.layers:
        _copy(folder, blob, layout)
    write_atomically(layout / blob_name(manifest.config.digest), package.config)
    enter(layout, package.manifest, tag)


def enter(layout: Path, manifest: bytes, tag: str) -> None:
    """Write a manifest whose blobs are there, and its entry in the index.

    Raises:
        OSError: The layout cannot be written.
    """
    outline = read_outline(manifest)
    kind = {"artifactType": outline.artifact_type} if isinstance(outline, Manifest) else {}
    _enter(layout, manifest, {"mediaType": outline.media_type, **kind, "annotations": {REF_NAME: tag}})


def attach(layout: Path, signature: Signature) -> None:
    """Put a signature in a layout, which is made if it is not there.

    Raises:
        OSError: The layout cannot be written.
    """
    (layout / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    for blob in signature.blobs:
        write_atomically(layout / blob_name(digest_of(blob)), blob)
    _enter(layout, signature.manifest, {"mediaType": MANIFEST_TYPE, "artifactType": SIGNATURE_TYPE})


def sign(layout: Path, digest: str, signer: Signer, now: datetime) -> None:
    """Sign a package in a layout.

    Args:
        layout: The layout's directory.
        digest: The package's.
        signer: Who signs.
        now: When.

    Raises:
        ModelError: The package is not there, or is none.
        OSError: The layout cannot be written.
    """
    target = describe_manifest(LayoutSource(layout, digest).manifest(), digest)
    attach(layout, signer.sign(target, now))


def entries(layout: Path) -> list[Entry]:
    """The packages in a layout, in the order of its index.

    Raises:
        NotFoundError: It is no layout.
    """
    if not (layout / "index.json").is_file():
        raise NotFoundError(f"{layout} is no OCI image layout")
    found = [entry for entry in _read_index(layout)["manifests"] if entry.get("artifactType") != SIGNATURE_TYPE]
    return [Entry(entry.get("annotations", {}).get(REF_NAME, ""), entry["digest"]) for entry in found]


def inspect(layout: Path, reference: str) -> tuple[Entry, Manifest | Image]:
    """A package in a layout, by its tag or its digest.

    Raises:
        NotFoundError: It is no layout, or has no such package.
        UnsafeModelError: What it has is no model package.
    """
    for entry in entries(layout):
        if reference in {entry.tag, entry.digest}:
            return entry, read_outline(LayoutSource(layout, entry.digest).manifest())
    raise NotFoundError(f"{layout} has no {reference}")


def _copy(folder: Path, blob: Descriptor, layout: Path) -> None:
    target = layout / blob_name(blob.digest)
    with open_plain(folder, blob.annotations[FILEPATH]) as source, atomic_writer(target) as file:
        shutil.copyfileobj(source, file)


def _enter(layout: Path, manifest: bytes, about: dict[str, Any]) -> None:
    digest = digest_of(manifest)
    write_atomically(layout / "oci-layout", b'{"imageLayoutVersion":"1.0.0"}')
    write_atomically(layout / blob_name(digest), manifest)
    index = _read_index(layout)
    kept = _untagged(index["manifests"], digest, about.get("annotations", {}).get(REF_NAME))
    index["manifests"] = [*kept, {**about, "digest": digest, "size": len(manifest)}]
    write_atomically(layout / "index.json", json.dumps(index, indent=2).encode())


def _read_index(layout: Path) -> dict[str, Any]:
    try:
        index: dict[str, Any] = json.loads((layout / "index.json").read_bytes())
    except FileNotFoundError:
        return {**_EMPTY_INDEX}
    except ValueError as error:
        raise UnsafeModelError(f"{layout / 'index.json'} is no JSON ({error})") from None
    return index


def _untagged(manifests: list[dict[str, Any]], digest: str, tag: str | None) -> list[dict[str, Any]]:
    """The index's entries but for the manifest's own, and with the tag taken off whatever had it."""
    kept = [entry for entry in manifests if entry["digest"] != digest]
    for entry in kept:
        if tag and entry.get("annotations", {}).get(REF_NAME) == tag:
            del entry["annotations"][REF_NAME]
    return kept
