"""Files as block blobs that are written once.

Every request's body is checked by the store against its MD5, what a blob consists of is fixed by the names of its
blocks, and ``If-None-Match: *`` keeps a blob of the name from being replaced. The blob's Content-MD5 and the metadata
``sha256`` say what was stored, for whoever checks it later.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Final

from azure.core import MatchConditions
from azure.storage.blob import BlobBlock, ContentSettings
from azure.storage.blob.aio import BlobClient

from edge_common.clock import Clock
from edge_upload.sinks import Durable, Listed, SinkConflictError, SinkMissingError, Stored
from edge_upload.sinks.blob.blocks import Survey, survey
from edge_upload.sinks.blob.container import Container
from edge_upload.sinks.blob.errors import BlobOccupiedError, trouble_with
from edge_upload.sinks.blob.throttle import Throttle
from edge_upload.sinks.blob.transfer import Transfer
from edge_upload.sinks.names import checked

SHA256: Final = "sha256"
"""The metadata that holds the hash of what was stored."""

PROBE: Final = "edge-probe"
"""Of this name only a block is ever sent, and never committed: it is not seen, and goes by itself after a week."""


@dataclass(frozen=True, slots=True)
class _There:
    size: int
    sha256: str
    etag: str


class BlobSink:
    """Files in a container.

    Args:
        container: The way to it.
        clock: Time.
    """

    durable: Durable = "cloud"

    def __init__(self, container: Container, clock: Clock) -> None:
        self._container = container
        self._throttle = Throttle(clock)
        self._transfer = Transfer(clock, self._throttle, container.patience_s)

    async def probe(self) -> None:
        blob = await self._blob(PROBE)
        with suppress(SinkMissingError), trouble_with("read in the container"):
            await blob.get_blob_properties()
        with trouble_with("write into the container"):
            await blob.stage_block(PROBE, b"probe", validate_content=True)

    def limit(self, bytes_per_second: float | None) -> None:
        self._throttle.limit(bytes_per_second)

    async def close(self) -> None:
        await self._container.close()

    async def put(self, name: str, file: Path, sha256: str) -> Stored:
        blob = await self._blob(checked(name))
        if there := await self._there(blob):
            return _same(name, there, sha256)
        parts = await asyncio.to_thread(survey, file, sha256)
        try:
            etag = await self._store(blob, file, parts, sha256)
        except BlobOccupiedError:  # by an earlier request whose answer was lost, or by somebody else
            if there := await self._there(blob):
                return _same(name, there, sha256)
            raise
        return Stored(name, parts.size, written=True, etag=etag)

    async def check(self, name: str) -> str | None:
        there = await self._there(await self._blob(checked(name)))
        return there.sha256 if there else None

    async def listing(self, prefix: str) -> AsyncIterator[Listed]:
        client = await self._container.client()
        with trouble_with("list the container"):
            async for blob in client.list_blobs(name_starts_with=prefix, include=["metadata"]):
                yield Listed(
                    blob.name,
                    blob.size,
                    blob.last_modified.astimezone(UTC),
                    (blob.metadata or {}).get(SHA256),
                    blob.etag.strip('"'),
                )

    async def read(self, name: str) -> AsyncIterator[bytes]:
        blob = await self._blob(checked(name))
        with trouble_with(f"read {name}"):
            content = await blob.download_blob()
            async for chunk in content.chunks():
                yield chunk

    async def _blob(self, name: str) -> BlobClient:
        return (await self._container.client()).get_blob_client(name)

    async def _there(self, blob: BlobClient) -> _There | None:
        """What stands under a name; a blob that says nothing of its hash is read."""
        try:
            with trouble_with(f"look at {blob.blob_name}"):
                found = await blob.get_blob_properties()
        except SinkMissingError:
            return None
        sha256 = (found.metadata or {}).get(SHA256) or await self._hash(blob.blob_name)
        return _There(found.size, sha256, found.etag.strip('"'))

    async def _hash(self, name: str) -> str:
        whole = hashlib.sha256()
        async for chunk in self.read(name):
            await asyncio.to_thread(whole.update, chunk)
        return whole.hexdigest()

    async def _store(self, blob: BlobClient, file: Path, parts: Survey, sha256: str) -> str:
        """Send what the store does not have yet, and commit; gives the new blob's etag."""
        sent = await self._blocks_of(blob)
        await self._transfer.send(blob, file, (block for block in parts.blocks if block.name not in sent))
        with trouble_with(f"store {blob.blob_name}"):
            answer = await blob.commit_block_list(
                [BlobBlock(block.name) for block in parts.blocks],
                content_settings=ContentSettings(content_md5=bytearray(parts.md5)),
                metadata={SHA256: sha256},
                match_condition=MatchConditions.IfMissing,
                validate_content=True,
            )
        return str(answer["etag"]).strip('"')

    async def _blocks_of(self, blob: BlobClient) -> set[str]:
        """The blocks that wait to be committed: an upload of before was interrupted."""
        try:
            with trouble_with(f"find what {blob.blob_name} has of its blocks"):
                _, waiting = await blob.get_block_list("uncommitted")
        except SinkMissingError:
            return set()
        return {block.id for block in waiting}


def _same(name: str, there: _There, sha256: str) -> Stored:
    if there.sha256 != sha256:
        raise SinkConflictError(f"{name} in the container has other bytes (sha256 {there.sha256})")
    return Stored(name, there.size, written=False, etag=there.etag)
