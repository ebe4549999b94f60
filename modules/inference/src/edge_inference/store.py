"""The module's own models on disk: one folder a package, named by its digest, whole and checked or not there.

``<digest's hex>/manifest.json``, ``config.json`` and ``files/``, all hard links to ``blobs/sha256/<hex>``, so that what
packages have in common is fetched and stored once, and a blob with one link is one that no package needs. A container
image's own manifest lies beside as ``image.json``; ``manifest.json`` is then that of the package found in it.

``<digest's hex>.optimised/`` is what was made of a package here, may go at any time, and goes with it. It is not
fsynced: whoever uses it checks it.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_common.files import fsync_folder
from edge_common.messages import ModelIdentity
from edge_inference.blobs import BlobStore
from edge_inference.errors import DigestMismatchError, ModelError, NoSpaceError, NotFoundError
from edge_inference.images import Image, describe_manifest, read_outline, unpack
from edge_inference.package import Descriptor, Manifest, Outline, compose, digest_of, read_config, read_manifest
from edge_inference.patience import Patience, Pause
from edge_inference.plainfiles import file_digest, plain_files
from edge_inference.sources import ModelSource

Come = Callable[[int], None]
"""Told how many of a hundred parts of a package are here."""

_OPTIMISED: Final = ".optimised"
_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _to_nobody(_: int) -> None:
    pass


@dataclass(frozen=True)
class Allowance:
    """How much the store may take.

    Attributes:
        package: The most bytes of one package, packed and unpacked.
        total: The most bytes of the whole store.
        keep: Digests of the packages that stay, whoever needs room.
    """

    package: int
    total: int
    keep: frozenset[str] = frozenset()


class ModelStore:
    """Packages by digest. Methods block; one call at a time.

    Args:
        root: The store's folder; made if it is not there.
        patience: With sources that break off.
    """

    def __init__(self, root: Path, patience: Patience | None = None) -> None:
        self._root = root
        self._patience = patience or Patience()
        self._blobs = BlobStore(root, self._patience)
        self._remove_leftovers()

    def files(self, digest: str) -> Path:
        """Where a package's files lie, once it is in the store."""
        return self._folder(digest) / "files"

    def size(self, digest: str) -> int:
        """Bytes of a package's files, once it is in the store."""
        return sum(path.stat().st_size for path in self.files(digest).rglob("*") if path.is_file())

    def optimised(self, digest: str) -> Path:
        """Where what was made of a package is, or will be."""
        return self._folder(digest).with_suffix(_OPTIMISED)

    def beside(self) -> Path:
        """Where a folder may be made for :meth:`keep_optimised`; a restart removes it."""
        return self._root / f".{uuid.uuid4().hex}.tmp"

    def keep_optimised(self, digest: str, beside: Path) -> None:
        """Take in what was made of a package, in the place of what was made before.

        Raises:
            OSError: The disk refuses.
        """
        self._discard(self.optimised(digest))
        beside.rename(self.optimised(digest))

    def discard_optimised(self, digest: str) -> None:
        """Remove what was made of a package."""
        self._discard(self.optimised(digest))

    def room(self, allowance: Allowance) -> int:
        """The bytes that may still be stored."""
        return min(shutil.disk_usage(self._root).free, allowance.total - self._used())

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

    def pinned(self, digest: str) -> Descriptor:
        """The manifest by which a package in the store was pinned: a container image's own, where it came as one.

        Raises:
            DigestMismatchError: It was damaged.
            UnsafeModelError: Likewise.
        """
        folder = self._folder(digest)
        image = folder / "image.json"
        return describe_manifest((image if image.exists() else folder / "manifest.json").read_bytes(), digest)

    def holds(self, digest: str) -> bool:
        """Whether a package is in the store, every byte of it; reads them all."""
        folder = self._folder(digest)
        try:
            names = {*plain_files(folder)}
            own = {"image.json", "manifest.json"} & names
            manifest = read_manifest((folder / "manifest.json").read_bytes())
            blobs = _named(manifest)
            sound = file_digest(folder, min(own)) == digest
            return sound and names == {*own, *blobs} and all(_is(folder, *entry) for entry in blobs.items())
        except (OSError, ModelError):
            return False

    def admit(
        self, wanted: ModelIdentity, source: ModelSource, allowance: Allowance, pause: Pause, come: Come = _to_nobody
    ) -> None:
        """Copy a package into the store, checking every byte on the way. What came is kept if it is broken off.

        Args:
            wanted: The digest is the manifest's, as the operator pinned it; a damaged package of it is replaced. A
                package in a container image is given the name and version.
            source: Where the bytes are.
            allowance: How much there may be.
            pause: Raises to end the copying.
            come: Told when there is more.

        Raises:
            AuthError: The source wants other credentials.
            NotFoundError: The package, or a part of it, is not there or cannot be read.
            DigestMismatchError: Bytes differ from what was promised.
            UnsafeModelError: It is no model package, holds links, or unsafe names.
            NoSpaceError: It is over the allowance, or the disk is full.
        """
        try:
            self._admit(wanted, source, allowance, pause, come)
        except OSError as error:
            self._sweep()
            kind = NoSpaceError if error.errno in _FULL else NotFoundError
            raise kind(f"the package cannot be copied ({error})") from error
        except ModelError as error:
            if not error.retryable:
                self._sweep()
            raise

    def collect(self, keep: frozenset[str]) -> None:
        """Remove all packages but some, and every blob that no package needs then."""
        self._remove_packages(keep)
        self._sweep()

    def _admit(
        self, wanted: ModelIdentity, source: ModelSource, allowance: Allowance, pause: Pause, come: Come
    ) -> None:
        data = self._patience.persist(source.manifest, pause)
        if digest_of(data) != wanted.digest:
            raise DigestMismatchError(f"the manifest's digest is {digest_of(data)}, not {wanted.digest}")
        outline = read_outline(data)
        self._make_room(outline, allowance, wanted.digest)

        told = 0

        def tell(seconds: float) -> None:
            nonlocal told
            pause(seconds)
            percent = 100 * (outline.total - self._blobs.missing(outline.blobs)) // max(1, outline.total)
            if percent != told:
                come(told := percent)

        for blob in outline.blobs:
            self._blobs.fetch(blob, source, tell)
        if isinstance(outline, Image):
            self._enter_image(wanted, data, outline, allowance, pause)
        else:
            self._enter(wanted.digest, {"manifest.json": self._put(data), **_digests(_named(outline))})

    def _enter_image(
        self, wanted: ModelIdentity, data: bytes, image: Image, allowance: Allowance, pause: Pause
    ) -> None:
        package = compose(wanted.name, wanted.version, unpack(image, self._blobs, allowance.package, pause))
        own = {"image.json": data, "manifest.json": package.manifest, "config.json": package.config}
        files = _digests(_named(read_manifest(package.manifest)))
        self._enter(wanted.digest, {**files, **{name: self._put(document) for name, document in own.items()}})
        self._sweep()

    def _enter(self, digest: str, entries: Mapping[str, str]) -> None:
        """Make a package of blobs that are there: their digests, by name."""
        beside = self.beside()
        try:
            for name, blob in entries.items():
                target = beside / name
                target.parent.mkdir(parents=True, exist_ok=True)
                os.link(self._blobs.path(blob), target)
            for path in (beside, *filter(Path.is_dir, beside.rglob("*"))):
                fsync_folder(path)
            self._discard(self._folder(digest))
            beside.rename(self._folder(digest))
            fsync_folder(self._root)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _put(self, document: bytes) -> str:
        return self._blobs.put([document])[0]

    def _folder(self, digest: str) -> Path:
        return self._root / digest.removeprefix("sha256:")

    def _make_room(self, outline: Outline, allowance: Allowance, digest: str) -> None:
        if outline.total > allowance.package:
            raise NoSpaceError(f"the package has {outline.total} bytes; maxModelBytes is {allowance.package}")
        if self._missing_room(outline, allowance):
            self._remove_packages(allowance.keep | {digest})
            self._blobs.sweep({blob.digest for blob in outline.blobs})
        if self._missing_room(outline, allowance):
            self._remove_optimised()
        if reason := self._missing_room(outline, allowance):
            raise NoSpaceError(reason)

    def _missing_room(self, outline: Outline, allowance: Allowance) -> str:
        """Why what is missing of a package does not fit; empty if it does."""
        missing = self._blobs.missing(outline.blobs)
        free = shutil.disk_usage(self._root).free
        left = allowance.total - self._used()
        if missing > free:
            return f"{missing} bytes of the package are missing; {free} are free on the model store's disk"
        if missing > left:
            return f"{missing} bytes of the package are missing; maxStoreBytes leaves {left} for them"
        return ""

    def _remove_packages(self, keep: frozenset[str]) -> None:
        for folder in self._root.iterdir():
            if folder.name != "blobs" and f"sha256:{folder.stem}" not in keep:
                self._discard(folder)

    def _remove_optimised(self) -> None:
        for folder in self._root.glob(f"*{_OPTIMISED}"):
            self._discard(folder)

    def _used(self) -> int:
        made = self._root.glob(f"*{_OPTIMISED}/*")
        return self._blobs.used() + sum(path.stat().st_size for path in made)

    def _discard(self, folder: Path) -> None:
        """Remove a package, which is then never seen in parts."""
        if folder.exists():
            beside = self.beside()
            folder.rename(beside)
            shutil.rmtree(beside)

    def _sweep(self) -> None:
        self._remove_leftovers()
        self._blobs.sweep()

    def _remove_leftovers(self) -> None:
        for leftover in self._root.glob(".*.tmp"):
            shutil.rmtree(leftover)


def _named(manifest: Manifest) -> dict[str, Descriptor]:
    """A package's blobs by where they lie in its folder."""
    return {"config.json": manifest.config, **{f"files/{name}": blob for name, blob in manifest.files.items()}}


def _digests(blobs: Mapping[str, Descriptor]) -> dict[str, str]:
    return {name: blob.digest for name, blob in blobs.items()}


def _is(folder: Path, name: str, blob: Descriptor) -> bool:
    return file_digest(folder, name) == blob.digest
