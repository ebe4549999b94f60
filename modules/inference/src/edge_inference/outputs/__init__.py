"""What a model's numbers mean: one file a kind of output, registered in ``KINDS``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from edge_common.contract import Contract, Output, SeveralOutput
from edge_inference.outputs.anomaly import Anomaly
from edge_inference.outputs.classification import Classification
from edge_inference.outputs.embedding import Embedding
from edge_inference.outputs.kind import Interpreter
from edge_inference.outputs.raw import Raw
from edge_inference.outputs.regression import Regression
from edge_inference.outputs.several import Several

KINDS: Final[Mapping[str, Callable[[Any], Interpreter]]] = {
    "anomaly": Anomaly,
    "classification": Classification,
    "embedding": Embedding,
    "raw": Raw,
    "regression": Regression,
}
"""Made of the contract's output half, by its ``kind``."""


def interpreter(contract: Contract) -> Interpreter:
    """What reads the outputs of a contract's model."""
    return _interpreter(contract.output)


def _interpreter(output: Output) -> Interpreter:
    if isinstance(output, SeveralOutput):
        return Several({name: _interpreter(each) for name, each in output.outputs.items()})
    return KINDS[output.kind](output)
