"""Where packages come from. A source hands out bytes and is believed in nothing: the store checks every one of them."""

import hashlib
import io
from pathlib import Path
from typing import BinaryIO, Protocol

from edge_inference.errors import UnsafeModelError
from edge_inference.package import (
    FILEPATH,
    MOST_MANIFEST_BYTES,
    Descriptor,
    Package,
    compose,
    layer,
)
from edge_inference.plainfiles import open_plain, plain_files


class ModelSource(Protocol):
    """One package, wherever it lies. Methods block."""

    def manifest(self) -> bytes:
        """The package's manifest.

        Raises:
            NotFoundError: There is none.
            UnsafeModelError: It is a link, a pipe, or far too large.
        """

    def open(self, blob: Descriptor) -> BinaryIO:
        """A blob of the package, to be read once and closed.

        Raises:
            NotFoundError: It is not there.
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

    def manifest(self) -> bytes:
        with open_plain(self._folder, blob_name(self._digest)) as file:
            return _at_most(file, MOST_MANIFEST_BYTES)

    def open(self, blob: Descriptor) -> BinaryIO:
        return open_plain(self._folder, blob_name(blob.digest))


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

    def manifest(self) -> bytes:
        package = describe(self._folder, self._name, self._version)
        self._config = package.config
        return package.manifest

    def open(self, blob: Descriptor) -> BinaryIO:
        name = blob.annotations.get(FILEPATH)
        return open_plain(self._folder, name) if name else io.BytesIO(self._config)


def blob_name(digest: str) -> str:
    """Where an OCI image layout keeps a blob."""
    return "blobs/" + digest.replace(":", "/")


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


def _at_most(file: BinaryIO, limit: int) -> bytes:
    data = file.read(limit + 1)
    if len(data) > limit:
        raise UnsafeModelError(f"the manifest is over {limit} bytes")
    return data
