"""What a model's numbers mean: one file a kind of output, registered in ``KINDS``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from edge_common.contract import Contract, Input, Output, SeveralOutput
from edge_inference.outputs.anomaly import Anomaly
from edge_inference.outputs.classification import Classification
from edge_inference.outputs.detection import Detection
from edge_inference.outputs.embedding import Embedding
from edge_inference.outputs.kind import Interpreter
from edge_inference.outputs.raw import Raw
from edge_inference.outputs.regression import Regression
from edge_inference.outputs.segmentation import Segmentation
from edge_inference.outputs.several import Several

Maker = Callable[[Any, Input], Interpreter]


def _of_output(kind: Callable[[Any], Interpreter]) -> Maker:
    """Makes a kind that need not know what the input is."""
    return lambda output, _: kind(output)


KINDS: Final[Mapping[str, Maker]] = {
    "anomaly": _of_output(Anomaly),
    "classification": _of_output(Classification),
    "detection": Detection,
    "embedding": _of_output(Embedding),
    "raw": _of_output(Raw),
    "regression": _of_output(Regression),
    "segmentation": Segmentation,
}
"""Made of the contract's halves, by the output's ``kind``."""


def interpreter(contract: Contract) -> Interpreter:
    """What reads the outputs of a contract's model.

    Raises:
        ContractMismatchError: Output and input do not go together.
    """
    return _interpreter(contract.output, contract.input)


def _interpreter(output: Output, wanted: Input) -> Interpreter:
    if isinstance(output, SeveralOutput):
        return Several({name: _interpreter(each, wanted) for name, each in output.outputs.items()})
    return KINDS[output.kind](output, wanted)
