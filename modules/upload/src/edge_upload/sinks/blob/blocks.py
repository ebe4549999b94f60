"""A file as blocks that are named by what is in them.

A block's name holds its place and the MD5 of its bytes, and the store has checked those against that MD5 when it took
them. So a block that is found under its name is the right one, whoever sent it and however long ago; nothing else needs
to be remembered of an upload that was interrupted. Limits: https://learn.microsoft.com/rest/api/storageservices/put-block
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edge_upload.sinks import StagedFileError

BLOCK_BYTES: Final = 4 << 20
MOST_BLOCKS: Final = 50_000
"""Of a blob: with blocks of 4 MiB, 195 GiB."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file.

    Attributes:
        name: Of one length for all blocks of all files, as the store demands.
        offset: Where it begins, in bytes.
        size: Bytes.
    """

    name: str
    offset: int
    size: int

    def read(self, file: Path) -> bytes:
        """Its bytes.

        Raises:
            StagedFileError: The file is gone, or has changed.
        """
        try:
            with file.open("rb") as staged:
                staged.seek(self.offset)
                data = staged.read(self.size)
        except FileNotFoundError:
            raise StagedFileError(f"{file} is gone") from None
        if self.name != _name(self.offset, data):
            raise StagedFileError(f"{file} changes while it is stored")
        return data


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file consists of.

    Attributes:
        size: Bytes.
        md5: Of all of it.
        blocks: In order; none for an empty file.
    """

    size: int
    md5: bytes
    blocks: tuple[Block, ...]


def survey(file: Path, sha256: str, most_blocks: int = MOST_BLOCKS) -> Survey:
    """Read a file once, and name its blocks.

    Args:
        file: The staged file.
        sha256: What it must be, in hex.
        most_blocks: That a blob may have; blocks of larger files are larger.

    Raises:
        StagedFileError: The file is gone, or is another.
    """
    blocks: list[Block] = []
    whole, md5, offset = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    try:
        with file.open("rb") as staged:
            length = _block_bytes(file.stat().st_size, most_blocks)
            while data := staged.read(length):
                blocks.append(Block(_name(offset, data), offset, len(data)))
                whole.update(data)
                md5.update(data)
                offset += len(data)
    except FileNotFoundError:
        raise StagedFileError(f"{file} is gone") from None
    if whole.hexdigest() != sha256:
        raise StagedFileError(f"{file} is not what it was")
    return Survey(offset, md5.digest(), tuple(blocks))


def _block_bytes(size: int, most_blocks: int) -> int:
    pieces = -(-size // (BLOCK_BYTES * most_blocks))
    return BLOCK_BYTES * max(pieces, 1)


def _name(offset: int, data: bytes) -> str:
    return f"{offset:015d}-{hashlib.md5(data, usedforsecurity=False).hexdigest()}"
