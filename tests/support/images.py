"""Container images that hold a package, as others build them."""

import gzip
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edge_common.messages import ModelIdentity
from edge_inference.package import blob_name, digest_of
from edge_inference.sources import LayoutSource
from edge_inference.store import Allowance, ModelStore
from support.models import contract, write_model

ALLOWED = Allowance(package=1 << 20, total=4 << 20)
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Entry = tuple[tarfile.TarInfo, bytes]


def go_on(_seconds: float) -> None:
    pass


def file(name: str, content: bytes = b"content", **more: Any) -> Entry:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in more.items():
        setattr(info, key, value)
    return info, content


def link(name: str, kind: bytes, target: str = "") -> Entry:
    return file(name, b"", type=kind, linkname=target)


def tar(entries: Sequence[Entry]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as out:
        for info, content in entries:
            out.addfile(info, io.BytesIO(content))
    return made.getvalue()


class Builder:
    """Makes images in a layout's folder."""

    def __init__(self, folder: Path) -> None:
        self.layout = folder / "layout"
        self.root = folder / "store"
        self.store = ModelStore(self.root)
        (self.layout / "blobs" / "sha256").mkdir(parents=True)
        files = write_model(folder / "files", contract())
        self.model = [file(f"models/{path.name}", path.read_bytes()) for path in sorted(files.iterdir())]

    def put(self, data: bytes) -> dict[str, Any]:
        digest = digest_of(data)
        (self.layout / blob_name(digest)).write_bytes(data)
        return {"digest": digest, "size": len(data)}

    def image(self, *layers: bytes, kind: str = LAYER, config: str = CONFIG) -> str:
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": config, **self.put(b"{}")},
            "layers": [{"mediaType": kind, **self.put(layer)} for layer in layers],
        }
        return str(self.put(json.dumps(document).encode())["digest"])

    def admit(self, digest: str, allowed: Allowance = ALLOWED) -> dict[str, bytes]:
        """The files of the package, by name."""
        wanted = ModelIdentity(name="teller", version="1", digest=digest)
        self.store.admit(wanted, LayoutSource(self.layout, digest), allowed, go_on)
        assert self.store.identity(digest) == wanted
        assert self.store.holds(digest)
        folder = self.store.files(digest)
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    def zipped(self, *more: Entry) -> bytes:
        return gzip.compress(tar([*self.model, *more]))
