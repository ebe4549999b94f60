"""A model that can be run: a loaded graph that was seen to fulfil its contract."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from pydantic import ValidationError

from edge_common.contract import Contract
from edge_common.messages import Frame, ModelIdentity
from edge_inference.drift.reference import Reference, read_reference
from edge_inference.errors import ContractMismatchError, LoadFailedError, NoGpuError, OutOfMemoryError, RunFailedError
from edge_inference.external import check_external
from edge_inference.operators import check_operators
from edge_inference.outputs import interpreter
from edge_inference.outputs.kind import Interpreter, Row, Values
from edge_inference.package import CONTRACT, GRAPH
from edge_inference.plainfiles import plain_files
from edge_inference.runtime import CUDA
from edge_inference.session import Array, Opener, Plan, Port, Session
from edge_inference.tuning.choice import Tuning

RECENT_RUNS: Final = 512
_PORTS: Final = {"float32": "tensor(float)", "uint8": "tensor(uint8)"}
"""onnxruntime's names of what a sample's numbers may be."""

_NUMBERS: Final = frozenset(
    f"tensor({name})" for name in ("float", "float16", "double", "int8", "uint8", "int16", "int32", "int64")
)


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory. Goes when nothing holds it any more, so never under a batch.

    Attributes:
        identity: Name, version, digest.
        contract: What it takes and gives.
        session: Its graph.
        interpreter: Reads its outputs.
        plan: What it was meant to run on.
        reference: How its input was distributed where it was made, if it says so.
        pace: Seconds a sample, of its last runs in service.
        tuning: How it runs best here, once that is known.
    """

    identity: ModelIdentity
    contract: Contract
    session: Session
    interpreter: Interpreter
    plan: Plan
    reference: Reference | None = None
    pace: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT_RUNS), compare=False)
    tuning: Tuning | None = None

    @property
    def stamp(self) -> str:
        """The stamp of the batches that it takes."""
        return self.contract.input.stamp

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU really runs it."""
        return CUDA in self.session.providers

    def run(self, rows: Array) -> Values:
        """What the graph makes of prepared samples, not yet interpreted, by output.

        Args:
            rows: Float32 of shape ``(rows, channels, height, width)``.

        Raises:
            RunFailedError: The run failed, or gave something of another shape than the contract says.
        """
        values = self.compute(rows, self.interpreter.names)
        self.check(values, len(rows))
        return values

    def check(self, values: Values, rows: int) -> None:
        """See that a run has given what the contract says.

        Args:
            values: What it gave.
            rows: The samples that it had.

        Raises:
            RunFailedError: It is of another shape.
        """
        try:
            self.interpreter.check({name: array.shape for name, array in values.items()})
        except ContractMismatchError as error:
            raise RunFailedError(str(error)) from error
        check_rows(values, rows)

    def compute(self, rows: Array, outputs: Sequence[str]) -> Values:
        """What the graph makes of prepared samples, whatever the contract says of its outputs.

        Args:
            rows: Float32 of shape ``(rows, *sample)``.
            outputs: The graph's, by name.

        Raises:
            RunFailedError: The run failed.
        """
        name = self.contract.input.name
        pieces = np.split(rows, len(rows)) if self.session.inputs[name].shape[0] == 1 else [rows]
        given = [self.session.run({name: piece}, outputs) for piece in pieces]
        if len(given) == 1:
            return dict(zip(outputs, given[0], strict=True))
        try:
            return dict(zip(outputs, map(np.concatenate, zip(*given, strict=True)), strict=True))
        except ValueError as error:  # arrays of various shapes
            raise RunFailedError(str(error)) from error

    def interpret(self, values: Values, frames: Sequence[Frame | None]) -> Sequence[Row]:
        """One prediction a row, of finite values.

        Args:
            values: From a run.
            frames: Where each row's sample lies in its picture, where that is known.
        """
        return self.interpreter.interpret(values, frames)

    def warm_up(self) -> None:
        """Run zeros, one and a full batch, so that what is allocated on first use is there.

        Raises:
            LoadFailedError: It does not run, or gives no numbers.
            OutOfMemoryError: It takes more memory than there is.
        """
        for rows in sorted({1, self.contract.input.batch}):
            try:
                values = self.run(np.zeros((rows, *self.contract.input.sample_shape), self.contract.input.sample_dtype))
            except RunFailedError as error:
                kind = OutOfMemoryError if error.out_of_memory else LoadFailedError
                raise kind(f"the graph does not run on {rows} samples of zeros: {error}") from error
            if not all_finite(values):
                raise LoadFailedError("the graph gives NaN or infinity for zeros")


def check_rows(values: Values, rows: int) -> None:
    """See that a run has given a row for each of its samples.

    Raises:
        RunFailedError: It has not.
    """
    if wrong := [array.shape for array in values.values() if array.shape[:1] != (rows,)]:
        raise RunFailedError(f"{rows} samples gave an output of shape {wrong[0]}")


def all_finite(values: Values) -> bool:
    """Whether there is no NaN and no infinity."""
    return all(np.isfinite(array).all() for array in values.values())


def verify(folder: Path) -> Contract:
    """Look an unpacked package through before anything of it is loaded; its contract.

    Raises:
        ContractMismatchError: Its contract is none.
        UnsafeModelError: The graph reaches for files outside the package, or for operators that are not supported.
        LoadFailedError: The graph is no ONNX model.
    """
    try:
        contract = Contract.model_validate_json((folder / CONTRACT).read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or CONTRACT
        raise ContractMismatchError(f"{CONTRACT} is no contract: {where}: {first['msg']}") from None
    check_external(folder / GRAPH, frozenset(plain_files(folder)))
    check_operators(folder / GRAPH)
    return contract


def load_model(
    folder: Path,
    identity: ModelIdentity,
    contract: Contract,
    open_session: Opener,
    plan: Plan,
    graph: Path | None = None,
) -> LoadedModel:
    """Load an unpacked package that was verified, and see that the graph fulfils the contract.

    Args:
        folder: Its files.
        identity: Whose they are.
        contract: The package's.
        open_session: What loads graphs.
        plan: What it is to run on.
        graph: What is loaded in place of the package's own.

    Raises:
        LoadFailedError: The graph cannot be loaded.
        ContractMismatchError: Contract and graph, or drift reference, do not fit.
        UnsafeModelError: The drift reference is none.
        NoGpuError: The plan requires a GPU, and the session has none.
    """
    session = open_session(graph or folder / GRAPH, plan.providers)
    reference = read_reference(folder, contract)
    model = LoadedModel(identity, contract, session, interpreter(contract), plan, reference)
    if plan.require_gpu and not model.on_gpu:
        raise NoGpuError(f"the session runs on {', '.join(session.providers)}, and requireGpu is set")
    _check_input(contract, session)
    _check_outputs(model)
    return model


def _check_input(contract: Contract, session: Session) -> None:
    wanted = contract.input
    if set(session.inputs) != {wanted.name}:
        raise ContractMismatchError(f"the contract feeds input {wanted.name!r}; the graph takes {[*session.inputs]}")
    port = session.inputs[wanted.name]
    expected = (None, *wanted.sample_shape)
    fits = len(port.shape) == len(expected) and all(map(_dimension_fits, port.shape[1:], expected[1:]))
    if port.dtype != _PORTS[wanted.sample_dtype] or not fits or not _any_batch(port.shape[0]):
        raise ContractMismatchError(
            f"the contract feeds {wanted.sample_dtype} of shape (batch, {', '.join(map(str, expected[1:]))}); "
            f"the graph takes {_in_words(port)}"
        )


def _any_batch(declared: int | str | None) -> bool:
    """A graph exported for batches of one can be fed one by one; a larger fixed batch cannot."""
    return not isinstance(declared, int) or declared <= 1


def _dimension_fits(declared: int | str | None, wanted: int | None) -> bool:
    return not isinstance(declared, int) or declared == wanted


def _check_outputs(model: LoadedModel) -> None:
    ports = model.session.outputs
    for name in model.interpreter.names:
        if name not in ports:
            raise ContractMismatchError(f"the contract reads {name!r}; the graph gives {[*ports]}")
        if ports[name].dtype not in _NUMBERS:
            given = _in_words(ports[name])
            raise ContractMismatchError(f"the contract reads numbers from {name!r}; the graph gives {given}")
    model.interpreter.check({name: port.shape for name, port in ports.items()})


def _in_words(port: Port) -> str:
    return f"{port.dtype} of shape ({', '.join(map(str, port.shape))})"
