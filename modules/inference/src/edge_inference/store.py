"""The module's own models on disk: one folder a package, named by its digest, whole and checked or not there.

``<digest's hex>/manifest.json``, ``config.json`` and ``files/``. Whatever the source was, what lies here are regular
files with one link each, which nobody else writes.
"""

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final

from edge_common.files import fsync_folder, write_atomically
from edge_common.messages import ModelIdentity
from edge_inference.errors import DigestMismatchError, ModelError, NoSpaceError, NotFoundError
from edge_inference.package import Descriptor, Manifest, digest_of, read_config, read_manifest
from edge_inference.plainfiles import open_plain, plain_files
from edge_inference.sources import ModelSource

_CHUNK: Final = 1 << 20
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

Checkpoint = Callable[[], None]
"""Called between pieces of long work; raises to end it."""


class ModelStore:
    """Packages by digest. Methods block; one call at a time.

    Args:
        root: The store's folder; made if it is not there. What an interrupted copy left in it is removed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)
        for leftover in root.glob(".*.tmp"):
            shutil.rmtree(leftover)

    def files(self, digest: str) -> Path:
        """Where a package's files lie, once it is in the store."""
        return self._folder(digest) / "files"

    def identity(self, digest: str) -> ModelIdentity:
        """Name and version of a package in the store, as its config says.

        Raises:
            UnsafeModelError: The config names none.
        """
        name, version = read_config((self._folder(digest) / "config.json").read_bytes())
        return ModelIdentity(name=name, version=version, digest=digest)

    def packages(self) -> list[tuple[ModelIdentity, int]]:
        """The packages in the store, and the bytes of each as its manifest declares them."""
        found = []
        for folder in sorted(self._root.iterdir()):
            if (folder / "manifest.json").is_file():
                manifest = read_manifest((folder / "manifest.json").read_bytes())
                found.append((self.identity(f"sha256:{folder.name}"), manifest.total))
        return found

    def holds(self, digest: str) -> bool:
        """Whether a package is in the store, every byte of it; reads them all."""
        folder = self._folder(digest)
        try:
            data = (folder / "manifest.json").read_bytes()
            manifest = read_manifest(data)
            blobs = {"config.json": manifest.config, **{f"files/{name}": blob for name, blob in manifest.files.items()}}
            there = {*plain_files(folder)} == {"manifest.json", *blobs}
            return there and digest_of(data) == digest and all(_is(folder, *entry) for entry in blobs.items())
        except (OSError, ModelError):
            return False

    def admit(self, digest: str, source: ModelSource, limit: int, checkpoint: Checkpoint) -> None:
        """Copy a package into the store, checking every byte on the way.

        Args:
            digest: The manifest's, as the operator pinned it.
            source: Where the bytes are; a damaged package of that digest is replaced.
            limit: The most bytes that a package may have.
            checkpoint: Raises to end the copying.

        Raises:
            NotFoundError: The package, or a part of it, is not there or cannot be read.
            DigestMismatchError: Bytes differ from what was promised.
            UnsafeModelError: It is no model package, holds links, or unsafe names.
            NoSpaceError: It is over the limit, or the disk is full.
        """
        data = source.manifest()
        if digest_of(data) != digest:
            raise DigestMismatchError(f"the manifest's digest is {digest_of(data)}, not {digest}")
        manifest = read_manifest(data)
        self._check_room(manifest, limit)
        beside = self._root / f".{uuid.uuid4().hex}.tmp"
        try:
            _fill(beside, data, manifest, source, checkpoint)
            shutil.rmtree(self._folder(digest), ignore_errors=True)
            beside.rename(self._folder(digest))
            fsync_folder(self._root)
        except OSError as error:
            kind = NoSpaceError if error.errno in _FULL else NotFoundError
            raise kind(f"the package cannot be copied ({error})") from error
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _folder(self, digest: str) -> Path:
        return self._root / digest.removeprefix("sha256:")

    def _check_room(self, manifest: Manifest, limit: int) -> None:
        if manifest.total > limit:
            raise NoSpaceError(f"the package has {manifest.total} bytes; maxModelBytes is {limit}")
        free = shutil.disk_usage(self._root).free
        if manifest.total > free:
            raise NoSpaceError(f"the package has {manifest.total} bytes; {free} are free in the model store")


def _fill(folder: Path, data: bytes, manifest: Manifest, source: ModelSource, checkpoint: Checkpoint) -> None:
    folder.mkdir()
    write_atomically(folder / "manifest.json", data)
    _fetch(manifest.config, source, folder / "config.json", checkpoint)
    for name, blob in manifest.files.items():
        target = folder / "files" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _fetch(blob, source, target, checkpoint)
    for path in (folder, *filter(Path.is_dir, folder.rglob("*"))):
        fsync_folder(path)


def _fetch(blob: Descriptor, source: ModelSource, target: Path, checkpoint: Checkpoint) -> None:
    with source.open(blob) as taken, target.open("xb") as given:
        digest = _copy(taken, given, blob.size, checkpoint)
        size = given.tell()
        given.flush()
        os.fsync(given.fileno())
    if (digest, size) != (blob.digest, blob.size):
        raise DigestMismatchError(f"{target.name} is not the {blob.size} bytes that the manifest promises")


def _copy(taken: BinaryIO, given: BinaryIO, size: int, checkpoint: Checkpoint) -> str:
    """Copy at most one byte more than there should be; the digest of what was copied."""
    digest = hashlib.sha256()
    while chunk := taken.read(min(_CHUNK, size + 1 - given.tell())):
        checkpoint()
        digest.update(chunk)
        given.write(chunk)
    return f"sha256:{digest.hexdigest()}"


def _is(folder: Path, name: str, blob: Descriptor) -> bool:
    with open_plain(folder, name) as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == blob.digest
