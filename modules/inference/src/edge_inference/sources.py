"""Where packages come from. A source hands out bytes and is believed in nothing: the store checks every one of them."""

import hashlib
import io
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

from edge_inference.errors import UnsafeModelError
from edge_inference.package import (
    FILEPATH,
    MOST_MANIFEST_BYTES,
    Descriptor,
    Package,
    blob_name,
    compose,
    layer,
)
from edge_inference.plainfiles import open_plain, plain_files
from edge_inference.signing.local import LayoutReferrers
from edge_inference.signing.referrers import NoReferrers, Referrers


class Readable(Protocol):
    """Bytes, to be read once."""

    def read(self, size: int = -1, /) -> bytes:
        """At most so many bytes; empty at the end only."""


class Stream(Readable, Protocol):
    """Bytes that somebody must be told when they are no longer read; as a context, it is told at the end."""

    def close(self) -> None:
        """Let go of them."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()


class ModelSource(Protocol):
    """One package, wherever it lies. Methods block."""

    @property
    def referrers(self) -> Referrers:
        """Where its signatures are."""

    def manifest(self) -> bytes:
        """The package's manifest.

        Raises:
            AuthError: It is not shown to us.
            NotFoundError: There is none.
            UnsafeModelError: It is a link, a pipe, or far too large.
        """

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        """A blob of the package, to be read once and closed; reading raises what opening does.

        Args:
            blob: Which one.
            at: Where to begin, in bytes; less than its size.

        Raises:
            AuthError: It is not shown to us.
            NotFoundError: It is not there; UnreachableError where trying again can help.
            UnsafeModelError: It is a link, a pipe, a device.
        """


class LayoutSource:
    """A package in an OCI image layout directory, found by its digest.

    Args:
        folder: The layout.
        digest: The manifest's.
    """

    def __init__(self, folder: Path, digest: str) -> None:
        self._folder = folder
        self._digest = digest

    @property
    def referrers(self) -> Referrers:
        return LayoutReferrers(self._folder)

    def manifest(self) -> bytes:
        with open_plain(self._folder, blob_name(self._digest)) as file:
            return at_most(file, MOST_MANIFEST_BYTES)

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        return _from(at, open_plain(self._folder, blob_name(blob.digest)))


class FolderSource:
    """A package unpacked in a folder; its manifest is made from the files, as packing them would.

    Args:
        folder: The files.
        name: The model's.
        version: The model's.
    """

    def __init__(self, folder: Path, name: str, version: str) -> None:
        self._folder = folder
        self._name = name
        self._version = version
        self._config = b""

    @property
    def referrers(self) -> Referrers:
        return NoReferrers()

    def manifest(self) -> bytes:
        package = describe(self._folder, self._name, self._version)
        self._config = package.config
        return package.manifest

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        name = blob.annotations.get(FILEPATH)
        return _from(at, open_plain(self._folder, name) if name else io.BytesIO(self._config))


def describe(folder: Path, name: str, version: str) -> Package:
    """The package that the files in a folder make.

    Raises:
        ValueError: Name or version may not be used.
        NotFoundError: There is no such folder, or a file cannot be read.
        UnsafeModelError: The files are no package, or there are links among them.
    """
    return compose(name, version, [_layer(folder, file) for file in plain_files(folder)])


def _layer(folder: Path, name: str) -> Descriptor:
    with open_plain(folder, name) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return layer(name, f"sha256:{digest}", file.tell())


def at_most(file: Readable, limit: int) -> bytes:
    """A manifest, read from a file or a connection.

    Raises:
        UnsafeModelError: It is larger than manifests are.
    """
    data = bytearray()
    while len(data) <= limit and (piece := file.read(limit + 1 - len(data))):
        data += piece
    if len(data) > limit:
        raise UnsafeModelError(f"the manifest is over {limit} bytes")
    return bytes(data)


def _from(at: int, file: BinaryIO) -> BinaryIO:
    file.seek(at)
    return file
