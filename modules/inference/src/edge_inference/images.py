"""Container images that hold a model's files under ``/models``: KServe's modelcars, and what Azure ML builds.

The layers are read as tar streams, and only regular files under ``/models`` are taken out, under names that were
checked: nothing is ever unpacked to where a name in a tar says.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Annotated, BinaryIO, Final, Literal

from pydantic import AfterValidator, ValidationError

from edge_inference.blobs import BlobStore, pieces
from edge_inference.errors import DigestMismatchError, NoSpaceError, UnsafeModelError
from edge_inference.package import MANIFEST_TYPE, Descriptor, Manifest, Outline, digest_of, layer, read_manifest
from edge_inference.patience import Pause
from edge_inference.sources import Readable

DOCKER_MANIFEST_TYPE: Final = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIGS: Final = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}
_GZIPPED: Final = {
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
}
_PLAIN: Final = {"application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"}

_ROOT: Final = re.compile(r"(?:\./|/)*")
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"
_MOST_HEADER: Final = 1 << 20
_MOST_FILES: Final = 2_000
_BROKEN: Final = (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile)


def _of_an_image(config: Descriptor) -> Descriptor:
    if config.media_type not in _CONFIGS:
        raise ValueError("is not a container image's")
    return config


class Image(Outline):
    """A container image's manifest."""

    media_type: Literal[
        "application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"
    ] = MANIFEST_TYPE
    config: Annotated[Descriptor, AfterValidator(_of_an_image)]


def read_outline(data: bytes) -> Image | Manifest:
    """Read a manifest that came from elsewhere, of either kind.

    Raises:
        UnsafeModelError: It is of neither, or a file's name is unsafe.
    """
    return read_image(data) or read_manifest(data)


def describe_manifest(data: bytes, digest: str = "") -> Descriptor:
    """A package's manifest, as it is called when it is signed.

    Args:
        data: It.
        digest: What it should have; empty where any will do.

    Raises:
        DigestMismatchError: It has another.
        UnsafeModelError: It is of no package.
    """
    found = digest_of(data)
    if digest and found != digest:
        raise DigestMismatchError(f"the manifest's digest is {found}, not {digest}")
    return Descriptor(media_type=read_outline(data).media_type, digest=found, size=len(data))


def read_image(data: bytes) -> Image | None:
    """Read a container image's manifest; None if it is something else."""
    try:
        return Image.model_validate_json(data)
    except ValidationError:
        return None


def unpack(image: Image, blobs: BlobStore, limit: int, pause: Pause) -> list[Descriptor]:
    """Take the files under ``/models`` out of an image, into blobs of their own.

    Args:
        image: Its layers must be among the blobs.
        blobs: Where the layers are and the files go.
        limit: The most bytes that all layers may have, unpacked.
        pause: Raises to end it.

    Returns:
        A package's layers: each names a file, relative to ``/models``.

    Raises:
        UnsafeModelError: A layer is no tar, or holds anything but files and folders there.
        NoSpaceError: It is over the limit.
    """
    files: dict[str, Descriptor] = {}
    for packed in image.layers:
        with blobs.path(packed.digest).open("rb") as file:
            limit -= _apply(_Tape(_opened(file, packed.media_type), limit), files, blobs, pause)
    return [*files.values()]


def _opened(file: BinaryIO, media_type: str) -> Readable:
    if media_type in _GZIPPED:
        return gzip.GzipFile(fileobj=file)
    if media_type in _PLAIN:
        return file
    raise UnsafeModelError(f"a layer of the image is of type {media_type}, which cannot be unpacked")


def _apply(tape: "_Tape", files: dict[str, Descriptor], blobs: BlobStore, pause: Pause) -> int:
    """Lay one layer over the files so far; how many bytes it has, unpacked."""
    upper: dict[str, Descriptor] = {}
    try:
        with tarfile.open(fileobj=tape, mode="r:") as tar:
            for member in _members(tar, pause):
                name = _ROOT.sub("", member.name, count=1)
                if not _whiteout(files, name):
                    _take(tar, member, name, upper, blobs, pause)
    except _BROKEN as error:
        raise UnsafeModelError(f"a layer of the image cannot be unpacked ({error})") from error
    for name, blob in upper.items():
        _cover(files, name)
        files[name] = blob
    return tape.tell()


def _members(tar: tarfile.TarFile, pause: Pause) -> Iterator[tarfile.TarInfo]:
    while member := tar.next():
        pause(0)
        yield member
        tar.members.clear()  # type: ignore[attr-defined] # it would remember millions


def _whiteout(files: dict[str, Descriptor], name: str) -> bool:
    """Take away what a layer says is gone; whether that is what the entry is for."""
    folder, _, last = name.rpartition("/")
    if not last.startswith(_WHITEOUT):
        return False
    gone = folder if last == _OPAQUE else f"{folder}/{last.removeprefix(_WHITEOUT)}".lstrip("/")
    if gone in {"", "models"}:
        files.clear()
    elif gone.startswith("models/"):
        _cover(files, gone.removeprefix("models/"))
    return True


def _cover(files: dict[str, Descriptor], name: str) -> None:
    """Take away what cannot be there beside a new entry: what it replaces, and what lies beneath or above it."""
    for other in [*files]:
        if other == name or other.startswith(f"{name}/") or name.startswith(f"{other}/"):
            del files[other]


def _take(
    tar: tarfile.TarFile,
    member: tarfile.TarInfo,
    name: str,
    files: dict[str, Descriptor],
    blobs: BlobStore,
    pause: Pause,
) -> None:
    top, _, inside = name.partition("/")
    if top != "models" or member.isdir():
        return
    content = tar.extractfile(member) if member.isreg() and not member.issparse() else None
    if content is None or not inside:
        raise UnsafeModelError(f"{member.name[:100]!r} in the image is not a plain file")
    if inside in files or len(files) == _MOST_FILES:
        raise UnsafeModelError(f"{member.name[:100]!r} in the image is there twice, or one file too many")
    files[inside] = layer(inside, *blobs.put(pieces(content, pause)))


class _Tape(io.RawIOBase):
    """A stream that is only ever read on, in pieces of bounded size, up to a limit."""

    def __init__(self, stream: Readable, limit: int) -> None:
        self._stream = stream
        self._limit = limit
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        if not 0 <= size <= _MOST_HEADER:
            raise UnsafeModelError("a header in the image's layer is too large")
        data = self._stream.read(size)
        self._at += len(data)
        if self._at > self._limit:
            raise NoSpaceError("the image is over maxModelBytes when it is unpacked")
        return data

    def seek(self, to: int, whence: int = io.SEEK_SET, /) -> int:
        if whence != io.SEEK_SET or to < self._at:
            raise UnsafeModelError("the image's layer leads backwards")
        while self._at < to and self.read(min(_MOST_HEADER, to - self._at)):
            pass
        return self._at

    def tell(self) -> int:
        return self._at
