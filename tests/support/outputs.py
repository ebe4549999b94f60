"""Reads outputs as the inference module does."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from edge_common.contract import Contract
from edge_common.messages import Frame
from edge_inference.outputs import interpreter
from edge_inference.outputs.kind import Interpreter, Row

IMAGE = {"kind": "image", "name": "image", "width": 8, "height": 4, "channels": "L", "mean": [0], "scale": [1]}


def reader(**output: Any) -> Interpreter:
    """What reads outputs of which a contract says this."""
    return interpreter(Contract.model_validate({"schema": 1, "input": IMAGE, "output": output}))


def rows(under: Interpreter, frame: Frame | None = None, /, **values: Any) -> Sequence[Row]:
    """The predictions of a batch, float32, all samples in the same place of their pictures."""
    arrays = {name: np.asarray(value, np.float32) for name, value in values.items()}
    under.check({name: array.shape for name, array in arrays.items()})
    return under.interpret(arrays, [frame] * len(next(iter(arrays.values()))))
