"""The outbox: shards as files, from being cut until the store has them."""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edge_common.files import atomic_writer
from edge_upload.cargo import Cargo
from edge_upload.shards import Claim, Entry, Intent

FOLDERS: Final = {Cargo.RESULTS: "records", Cargo.FEATURES: "features"}
"""In the store."""


class Outbox:
    """A folder of files, one a shard, under its number in the spool.

    Args:
        folder: Made if it is not there.
        device: The device's name; it is part of the shards' names in the store, because devices share stores.
    """

    def __init__(self, folder: Path, device: str) -> None:
        self._folder = folder
        self._device = quote(device, safe="")
        folder.mkdir(parents=True, exist_ok=True)

    def file(self, shard: int) -> Path:
        """Where the file of a shard is, or was."""
        return self._folder / f"{shard}.parquet"

    def cut(self, claim: Claim, entries: Iterable[Entry]) -> Intent:
        """Write a shard's file; it is durable when this returns. Its name in the store is its own hash.

        Raises:
            BadPartError: One of the parts fits no file.
            OSError: The disk refuses.
            SpoolUnavailableError: The disk refuses.
        """
        from edge_upload import parquet  # noqa: PLC0415 - slow to import, and not needed to accept results

        path = self.file(claim.number)
        with atomic_writer(path) as file:
            parquet.write(file, claim.layout, entries)
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        name = f"{FOLDERS[claim.cargo]}/device={self._device}/date={claim.date}/{sha256}.parquet"
        return Intent(claim.number, name, sha256)

    def remove(self, shard: int) -> None:
        """Remove the file of a shard, if it is there."""
        self.file(shard).unlink(missing_ok=True)

    def keep_only(self, shards: Collection[int]) -> None:
        """Remove the files of all other shards, and what a kill left half-written."""
        kept = {self.file(shard) for shard in shards}
        for path in self._folder.iterdir():
            if path not in kept:
                path.unlink()
