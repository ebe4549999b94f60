from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from edge_common.errors import BatchGoneError, BatchTooLargeError, BatchTornError, StoreFullError
from edge_common.tensors import HEADER_BYTES, TensorReader, TensorWriter

BATCH = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
SIZE = BATCH.nbytes + HEADER_BYTES


Way = Callable[[TensorReader, str], npt.NDArray[np.generic]]


@pytest.mark.parametrize("way", [TensorReader.read, TensorReader.map])
def test_a_batch_comes_as_it_was_written_and_cannot_be_changed(tmp_path: Path, way: Way) -> None:
    TensorWriter(tmp_path, SIZE).write("b", BATCH)
    came = way(TensorReader(tmp_path), "b")
    np.testing.assert_array_equal(came, BATCH)
    assert not came.flags.writeable


def test_a_batch_that_was_read_is_nobody_elses_and_one_that_was_mapped_is_the_file(tmp_path: Path) -> None:
    TensorWriter(tmp_path, SIZE).write("b", BATCH)
    read, mapped = TensorReader(tmp_path).read("b"), TensorReader(tmp_path).map("b")
    with (tmp_path / "b.npy").open("r+b") as file:
        file.seek(HEADER_BYTES)
        file.write(bytes(BATCH.nbytes))
    np.testing.assert_array_equal(read, BATCH)
    assert not mapped.any()


def test_the_size_is_counted_as_the_disk_has_it(tmp_path: Path) -> None:
    writer = TensorWriter(tmp_path, 10 * SIZE)
    writer.write("b", BATCH)
    assert writer.used == (tmp_path / "b.npy").stat().st_size


@pytest.mark.parametrize("way", [TensorReader.read, TensorReader.map])
def test_a_batch_stays_readable_after_it_is_removed(tmp_path: Path, way: Way) -> None:
    writer = TensorWriter(tmp_path, SIZE)
    writer.write("b", BATCH)
    came = way(TensorReader(tmp_path), "b")
    writer.remove("b")
    np.testing.assert_array_equal(came, BATCH)


def test_the_budget_holds_until_something_is_removed(tmp_path: Path) -> None:
    writer = TensorWriter(tmp_path, 2 * SIZE - 1)
    writer.write("a", BATCH)
    with pytest.raises(StoreFullError):
        writer.write("b", BATCH)
    writer.remove("a")
    writer.write("b", BATCH)
    assert writer.batches == {"b"}


def test_a_batch_over_the_whole_budget_is_never_worth_another_try(tmp_path: Path) -> None:
    with pytest.raises(BatchTooLargeError) as raised:
        TensorWriter(tmp_path, SIZE - 1).write("a", BATCH)
    assert not raised.value.retryable


def test_a_restart_counts_what_it_finds_and_clears_what_was_half_written(tmp_path: Path) -> None:
    TensorWriter(tmp_path, SIZE).write("a", BATCH)
    (tmp_path / ".x.tmp").write_bytes(b"half")
    writer = TensorWriter(tmp_path, SIZE)
    assert writer.used == SIZE
    assert [path.name for path in tmp_path.iterdir()] == ["a.npy"]


@pytest.mark.parametrize("way", [TensorReader.read, TensorReader.map])
def test_a_batch_that_is_gone_and_one_that_is_torn_are_told_apart(tmp_path: Path, way: Way) -> None:
    reader = TensorReader(tmp_path)
    with pytest.raises(BatchGoneError):
        way(reader, "a")
    TensorWriter(tmp_path, SIZE).write("a", BATCH)
    whole = (tmp_path / "a.npy").read_bytes()
    for length in (0, 5, HEADER_BYTES, len(whole) - 1):
        (tmp_path / "a.npy").write_bytes(whole[:length])
        with pytest.raises(BatchTornError):
            way(reader, "a")


def test_a_pickle_in_a_batchs_place_is_not_run(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(BatchTornError):
        TensorReader(tmp_path).read("a")


def test_batches_of_several_writers_are_read_from_the_folder_above(tmp_path: Path) -> None:
    for name in ("a", "b"):
        TensorWriter(tmp_path / name, SIZE).write(name, BATCH)
    for name in ("a", "b"):
        np.testing.assert_array_equal(TensorReader(tmp_path).read(name), BATCH)
    TensorWriter(tmp_path, SIZE).write("c", BATCH)
    np.testing.assert_array_equal(TensorReader(tmp_path).read("c"), BATCH)
    with pytest.raises(BatchGoneError):
        TensorReader(tmp_path / "a").read("b")
