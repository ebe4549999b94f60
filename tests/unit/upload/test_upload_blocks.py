"""Files as named blocks."""

import hashlib
from pathlib import Path

import pytest

from edge_upload.sinks import StagedFileError
from edge_upload.sinks.blob.blocks import BLOCK_BYTES, survey


def staged(tmp_path: Path, data: bytes) -> tuple[Path, str]:
    file = tmp_path / "staged"
    file.write_bytes(data)
    return file, hashlib.sha256(data).hexdigest()


def test_blocks_make_up_the_file_and_have_names_of_one_length(tmp_path: Path) -> None:
    data = bytes(range(256)) * (BLOCK_BYTES // 100)
    file, sha256 = staged(tmp_path, data)
    found = survey(file, sha256)
    assert b"".join(block.read(file) for block in found.blocks) == data
    assert (found.size, found.md5) == (len(data), hashlib.md5(data, usedforsecurity=False).digest())
    assert {len(block.name) for block in found.blocks} == {48}
    assert len({block.name for block in found.blocks}) == len(found.blocks) == 3


def test_the_same_file_has_the_same_blocks_and_another_has_not(tmp_path: Path) -> None:
    one = survey(*staged(tmp_path, b"a" * 10))
    assert survey(*staged(tmp_path, b"a" * 10)) == one
    assert survey(*staged(tmp_path, b"b" * 10)).blocks != one.blocks


def test_a_file_too_large_for_so_many_blocks_has_larger_ones(tmp_path: Path) -> None:
    found = survey(*staged(tmp_path, b"a" * (3 * BLOCK_BYTES)), most_blocks=2)
    assert [block.size for block in found.blocks] == [2 * BLOCK_BYTES, BLOCK_BYTES]


def test_an_empty_file_has_no_blocks(tmp_path: Path) -> None:
    assert survey(*staged(tmp_path, b"")).blocks == ()


def test_a_file_that_changes_or_goes_between_survey_and_sending_is_noticed(tmp_path: Path) -> None:
    file, sha256 = staged(tmp_path, b"before")
    (block,) = survey(file, sha256).blocks
    file.write_bytes(b"behind")
    with pytest.raises(StagedFileError, match="changes"):
        block.read(file)
    file.unlink()
    with pytest.raises(StagedFileError, match="gone"):
        block.read(file)
