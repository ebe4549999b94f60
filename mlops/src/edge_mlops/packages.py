"""Packages in OCI image layouts."""

from pathlib import Path

from edge_common.messages import ModelIdentity
from edge_inference import layout as layouts
from edge_inference.errors import UnsafeModelError
from edge_inference.layout import Entry
from edge_inference.model import LoadedModel, load_model, verify
from edge_inference.onnx_session import OnnxSession
from edge_inference.package import Manifest, digest_of
from edge_inference.session import Plan
from edge_inference.sources import LayoutSource

UNPACKED = ModelIdentity(name="unpacked", version="0", digest=f"sha256:{'0' * 64}")


def unpack(layout: Path, reference: str, folder: Path) -> None:
    """Put a package's files into a folder, every byte checked.

    Args:
        layout: Where it is.
        reference: Its tag there, or its digest.
        folder: Empty.

    Raises:
        ModelError: It is not there, or not what its digests say.
        OSError: The disk refuses.
    """
    entry, outline = layouts.inspect(layout, reference)
    if not isinstance(outline, Manifest):
        raise UnsafeModelError(f"{reference} in {layout} is no model package")
    source = LayoutSource(layout, entry.digest)
    for name, blob in outline.files.items():
        with source.open(blob) as file:
            data = file.read()
        if digest_of(data) != blob.digest:
            raise UnsafeModelError(f"{name} of {reference} in {layout} has other bytes than its digest says")
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def reference_of(layout: Path, entry: Entry) -> str:
    """The reference that a twin takes of a package."""
    return f"oci:{layout.resolve().name}@{entry.digest}"


def loaded(folder: Path) -> LoadedModel:
    """The model whose files are in a folder, warmed up.

    Raises:
        ModelError: A device would refuse it, for that reason.
    """
    plan = Plan(("CPUExecutionProvider",), require_gpu=False)
    model = load_model(folder, UNPACKED, verify(folder), OnnxSession, plan)
    model.warm_up()
    return model
