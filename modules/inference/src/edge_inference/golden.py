"""Golden examples: inputs in a package with the outputs that the graph must give, so that a device can check it.

``golden.json`` names pairs of ``.npy`` files (NumPy's format, never pickled): ``input`` is of shape
``(rows, channels, height, width)``, prepared as the contract says; ``output`` is what the graph gives for it, before
any activation, of shape ``(rows, …)``; where the contract reads several outputs, a file each by their names. A row
comes out where each number is within ``absolute + relative * |expected|``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge_inference.errors import GoldenFailedError, RunFailedError, UnsafeModelError
from edge_inference.gates import check_golden
from edge_inference.model import LoadedModel
from edge_inference.outputs.kind import Values
from edge_inference.package import GOLDEN
from edge_inference.plainfiles import plain_files
from edge_inference.session import Array

MOST_BYTES: Final = 64 << 20
"""Of one example file."""

_File = Annotated[str, Field(min_length=1, max_length=500)]
_Tolerance = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Example(BaseModel):
    """One pair of files, and how near the numbers must come."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: _File
    output: _File | Mapping[str, _File]
    absolute: _Tolerance = 1e-4
    relative: _Tolerance = 1e-3


class GoldenExamples(BaseModel):
    """``golden.json``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Annotated[Literal[1], Field(alias="schema")]
    examples: Annotated[tuple[Example, ...], Field(min_length=1, max_length=1000)]


def run_golden(model: LoadedModel, folder: Path, least: float) -> None:
    """Run a package's examples; a package without any has nothing to fail.

    Args:
        model: Loaded.
        folder: The package's files.
        least: The share of rows that must come out.

    Raises:
        GoldenFailedError: Too few came out, or the examples are none for this model.
        UnsafeModelError: ``golden.json`` is none, or a file that it names is no array.
    """
    if not (folder / GOLDEN).exists():
        return
    verdicts = [fine for example in _read(folder).examples for fine in _rows_that_came_out(model, folder, example)]
    check_golden(sum(verdicts), len(verdicts), least)


def _read(folder: Path) -> GoldenExamples:
    try:
        return GoldenExamples.model_validate_json((folder / GOLDEN).read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise UnsafeModelError(f"{GOLDEN}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def _rows_that_came_out(model: LoadedModel, folder: Path, example: Example) -> Iterator[bool]:
    samples, expected = _array(folder, example.input), _expected(model, folder, example)
    wanted = model.contract.input
    if samples.dtype != wanted.sample_dtype or samples.shape[1:] != wanted.sample_shape:
        raise GoldenFailedError(f"{example.input} is {samples.dtype} of shape {samples.shape}, no input of the model")
    for name, array in expected.items():
        if len(array) != len(samples):
            raise GoldenFailedError(f"the example of {name!r} has {len(array)} rows for {len(samples)} samples")
    for first in range(0, len(samples), wanted.batch):
        part = slice(first, first + wanted.batch)
        yield from _near(model, samples[part], {name: array[part] for name, array in expected.items()}, example)


def _expected(model: LoadedModel, folder: Path, example: Example) -> Values:
    """What the outputs are to be, by name."""
    names, files = model.interpreter.names, example.output
    if isinstance(files, str):
        files = dict.fromkeys(names[:1], files)
    if files.keys() != {*names}:
        raise GoldenFailedError(f"{GOLDEN} has examples of {[*files]}; the contract reads {[*names]}")
    return {name: _array(folder, file) for name, file in files.items()}


def _near(model: LoadedModel, samples: Array, expected: Values, example: Example) -> Iterator[bool]:
    try:
        values = model.run(samples)
    except RunFailedError as error:
        raise GoldenFailedError(f"the graph does not run on {example.input}: {error}") from error
    fine = [_rows_near(name, values[name], array, example) for name, array in expected.items()]
    yield from (all(row) for row in zip(*fine, strict=True))


def _rows_near(name: str, values: Array, expected: Array, example: Example) -> list[bool]:
    if values.shape != expected.shape:
        raise GoldenFailedError(f"the example of {name!r} is of shape {expected.shape}; the graph gives {values.shape}")
    near: Array = np.isclose(values, expected, rtol=example.relative, atol=example.absolute)  # nothing is near NaN
    return [bool(row.all()) for row in near]


def _array(folder: Path, name: str) -> Array:
    if name not in plain_files(folder):
        raise UnsafeModelError(f"{GOLDEN} names {name[:100]!r}, which is not in the package")
    if (folder / name).stat().st_size > MOST_BYTES:
        raise UnsafeModelError(f"{name} is over {MOST_BYTES} bytes")
    try:
        array = np.load(folder / name, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise UnsafeModelError(f"{name} is no array ({error})") from error
    if not isinstance(array, np.ndarray) or not array.ndim or array.dtype.kind not in "fiu":
        raise UnsafeModelError(f"{name} holds no rows of numbers")
    return array
