"""From a table's, or a tensor's, bytes to samples: what is read, what is refused, and how much memory that takes."""

import json
from collections.abc import Sequence
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from corpus import CASES, Case
from corpus.tensors import npy, npy_that_says
from edge_common.contract import Column, TabularInput, TensorInput
from edge_common.errors import ItemError
from edge_transform.decoders.sniff import HEAD_BYTES
from edge_transform.tables import Block, RowsInput, samples
from edge_transform.tables.cutting import cut, windows
from support import tables

WANTED = TabularInput(
    kind="tabular", columns=(Column(name="load"), Column(name="state", categories=tables.STATES)), batch=64
)
TENSOR = TensorInput(kind="tensor", shape=(2, 3), batch=4)
LOADS = tables.loads(1000)
ROWS = np.stack([LOADS, np.arange(1000) % 2], axis=1).astype(np.float32)
FORMATS = {"csv": tables.csv, "json lines": tables.json_lines, "parquet": tables.parquet}

CODES = {
    "tables/plain.csv": None,
    "tables/csv.png": None,
    "tables/bom.csv": None,
    "tables/semicolons.csv": "WRONG_COLUMNS",
    "tables/open-quote.csv": "WRONG_COLUMNS",
    "tables/blank.csv": "WRONG_COLUMNS",
    "tables/lines.jsonl": "MISSING_VALUE",
    "tables/nested.jsonl": "MISSING_VALUE",
    "tables/huge-number.json": "MISSING_VALUE",
    "tables/twice.json": "MISSING_VALUE",
    "tables/good.parquet": "WRONG_COLUMNS",
    "documents/script.sh": "WRONG_COLUMNS",
}
"""Where tables are wanted; what else is text or Parquet cannot be decoded, and the rest is no table."""


def blocks_of(content: bytes, wanted: RowsInput) -> Sequence[Block]:
    with TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        return list(samples(file, content[:HEAD_BYTES], wanted))


def rows_of(content: bytes, wanted: RowsInput = WANTED) -> Block:
    return np.concatenate(blocks_of(content, wanted))


def code_of(content: bytes, wanted: RowsInput = WANTED) -> str:
    with pytest.raises(ItemError) as raised:
        blocks_of(content, wanted)
    assert not raised.value.can_retry
    return raised.value.code


@pytest.mark.parametrize("kind", FORMATS)
def test_every_row_is_a_sample_in_the_contracts_columns(kind: str) -> None:
    blocks = blocks_of(FORMATS[kind](LOADS), WANTED)
    assert [len(block) for block in blocks] == [64] * 15 + [40]
    assert all(block.dtype == np.float32 and block.flags.c_contiguous for block in blocks)
    np.testing.assert_array_equal(np.concatenate(blocks), ROWS)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize(("window", "step"), [(24, 24), (24, 1), (7, 3), (1000, 1)])
def test_windows_are_consecutive_rows(kind: str, window: int, step: int) -> None:
    wanted = WANTED.model_copy(update={"window": window, "step": step})
    expected = [ROWS[start : start + window] for start in range(0, 1000 - window + 1, step)]
    np.testing.assert_array_equal(rows_of(FORMATS[kind](LOADS), wanted), expected)


def test_a_table_shorter_than_a_window_is_empty() -> None:
    assert code_of(tables.csv(LOADS[:23]), WANTED.model_copy(update={"window": 24})) == "EMPTY"


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_the_contract_says_what_delimits(delimiter: str) -> None:
    wanted = WANTED.model_copy(update={"delimiter": delimiter})
    np.testing.assert_array_equal(rows_of(tables.csv(LOADS, delimiter), wanted), ROWS)


@pytest.mark.parametrize("value", ["", "NaN", "null", "inf", "1e300"])
def test_what_is_missing_is_filled_or_refused(value: str) -> None:
    content = f"load,state\n1,idle\n{value},active\n".encode()
    assert code_of(content) == "MISSING_VALUE"
    filled = WANTED.model_copy(update={"columns": (Column(name="load", fill=-1), WANTED.columns[1])})
    np.testing.assert_array_equal(rows_of(content, filled), [[1, 0], [-1, 1]])


@pytest.mark.parametrize("value", ["broken", ""])
def test_an_unknown_category_is_filled_or_refused(value: str) -> None:
    content = f"load,state\n1,{value}\n".encode()
    assert code_of(content) == "MISSING_VALUE"
    filled = WANTED.model_copy(
        update={"columns": (WANTED.columns[0], Column(name="state", categories=tables.STATES, fill=9))}
    )
    np.testing.assert_array_equal(rows_of(content, filled), [[1, 9]])


def test_numbers_of_every_kind_are_numbers() -> None:
    lines = [{"load": value, "state": "idle"} for value in (1, 2.5, -3)]
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    np.testing.assert_array_equal(rows_of(content)[:, 0], [1, 2.5, -3])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_corpus_where_tables_are_wanted(case: Case) -> None:
    wanted = TabularInput(kind="tabular", columns=(Column(name="id"), Column(name="load")))
    content = case.build()
    readable = case.found in {"text/plain", "application/json", "application/vnd.apache.parquet"}
    code = CODES.get(case.name, "DECODE_FAILED" if readable else "UNSUPPORTED") if content else "EMPTY"
    if code is None:
        assert rows_of(content, wanted).shape == (200, 2)
    else:
        assert code_of(content, wanted) == code


TENSOR_CODES = {
    "tensors/good.npy": None,
    "tensors/pickle.npy": "UNSUPPORTED",
    "tensors/boasting.npy": "WRONG_SHAPE",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_corpus_where_tensors_are_wanted(case: Case) -> None:
    wanted = TensorInput(kind="tensor", shape=(8,))
    content = case.build()
    readable = case.found == "application/x-npy"
    code = TENSOR_CODES.get(case.name, "DECODE_FAILED" if readable else "UNSUPPORTED") if content else "EMPTY"
    if code is None:
        assert rows_of(content, wanted).shape == (4, 8)
    else:
        assert code_of(content, wanted) == code


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "u1", "?", "<f2"])
def test_tensors_are_taken_as_they_are(dtype: str) -> None:
    values = np.random.default_rng(0).integers(0, 2, (9, 2, 3)).astype(dtype)
    blocks = blocks_of(npy(values), TENSOR)
    assert [block.shape for block in blocks] == [(4, 2, 3), (4, 2, 3), (1, 2, 3)]
    np.testing.assert_array_equal(np.concatenate(blocks), values.astype(np.float32))
    np.testing.assert_array_equal(rows_of(npy(values[0]), TENSOR), values[:1].astype(np.float32))


def test_tensors_of_another_shape_order_or_kind_are_refused() -> None:
    assert code_of(npy(np.zeros((9, 3, 2))), TENSOR) == "WRONG_SHAPE"
    assert code_of(npy(np.zeros(())), TENSOR) == "WRONG_SHAPE"
    assert code_of(npy(np.asfortranarray(np.ones((9, 2, 3)))), TENSOR) == "DECODE_FAILED"
    assert code_of(npy(np.zeros((1, 2, 3), complex)), TENSOR) == "UNSUPPORTED"
    assert code_of(npy(np.full((1, 2, 3), np.nan)), TENSOR) == "MISSING_VALUE"
    assert code_of(npy(np.zeros((0, 2, 3))), TENSOR) == "EMPTY"


def test_a_tensor_that_says_more_than_it_holds_is_refused_before_memory_is_taken() -> None:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({1 << 50}, 2, 3)}}"
    assert code_of(npy_that_says(header), TENSOR) == "DECODE_FAILED"


Blocks = st.lists(hnp.arrays(np.float32, st.tuples(st.integers(0, 9), st.just(2)), elements=st.integers(0, 9)))


@given(Blocks, st.integers(1, 7))
def test_cutting_keeps_every_row_in_its_place(blocks: list[npt.NDArray[np.float32]], size: int) -> None:
    pieces = list(cut(blocks, size))
    assert all(len(piece) == size for piece in pieces[:-1])
    assert all(0 < len(piece) <= size for piece in pieces)
    np.testing.assert_array_equal(joined(pieces), joined(blocks))


@given(Blocks, st.integers(1, 7), st.data())
def test_windows_do_not_depend_on_blocks(blocks: list[npt.NDArray[np.float32]], size: int, data: Any) -> None:
    step = data.draw(st.integers(1, size))
    rows = joined(blocks)
    expected = [rows[start : start + size] for start in range(0, len(rows) - size + 1, step)]
    found = [window for block in windows(blocks, size, step) for window in block]
    np.testing.assert_array_equal(found, expected)


def joined(blocks: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    return np.concatenate([np.empty((0, 2), np.float32), *blocks])
