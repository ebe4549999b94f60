"""A few numbers a sample that say how it looks, and how sure the model is of it; by the contract's kinds.

Pictures: of each channel ``mean_<channel>`` and ``std_<channel>``, and ``sharpness``, the mean absolute difference of
neighbours in a row; all in the units of the prepared sample, on a grid of some ``MOST_PIXELS`` pixels a channel.
Tables: each column, or its mean over the window. Tensors: ``mean`` and ``std``.
Classifications: ``label``, the number of the best class, and ``score``, its score.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from edge_common.contract import ClassificationOutput, Contract, ImageInput, TabularInput, TensorInput
from edge_inference.outputs import Row
from edge_inference.session import Array

MOST_PIXELS: Final = 1024
"""Looked at in each channel: so that a large picture costs no more than a small one."""

LABEL: Final = "label"

_ALL: Final = slice(None)


class InputFeatures(Protocol):
    """What is looked at in one kind of input."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its features."""

    def of(self, samples: Array) -> Array:
        """Float of shape ``(rows, names)``, from prepared samples."""


class OutputFeatures(Protocol):
    """What is looked at in one kind of output."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its features."""

    def of(self, predictions: Sequence[Row]) -> Array:
        """Float of shape ``(rows, names)``, from predictions."""


class ImageFeatures:
    """Light, contrast and sharpness.

    Args:
        wanted: The contract's input half.
    """

    def __init__(self, wanted: ImageInput) -> None:
        names = [f"{name}_{channel}" for name in ("mean", "std") for channel in wanted.channels]
        self.names = (*names, "sharpness")
        self._step = math.ceil(math.sqrt(wanted.width * wanted.height / MOST_PIXELS))

    def of(self, samples: Array) -> Array:
        step = self._step
        grid = np.ascontiguousarray(samples[:, :, ::step, ::step])
        pixels = grid.reshape(*grid.shape[:2], -1)
        mean = _mean(pixels)
        around = pixels - mean[..., None]
        variance = np.einsum("ncp,ncp->nc", around, around) / pixels.shape[2]
        return np.column_stack([mean, np.sqrt(variance), self._sharpness(samples, grid)])

    def _sharpness(self, samples: Array, grid: Array) -> Array:
        beside = samples[:, :, :: self._step, 1 :: self._step]
        differences = np.abs(beside - grid[..., : beside.shape[3]])
        return _mean(differences.reshape(len(samples), -1)) if differences.size else np.zeros(len(samples))


def _mean(values: Array) -> Array:
    """Along the last axis; at these sizes several times as fast as NumPy's own."""
    return np.asarray(values.sum(axis=-1) / values.shape[-1])


class TabularFeatures:
    """Each column; of a window, its mean.

    Args:
        wanted: The contract's input half.
    """

    def __init__(self, wanted: TabularInput) -> None:
        self.names = tuple(column.name for column in wanted.columns)

    def of(self, samples: Array) -> Array:
        return np.asarray(samples.reshape(len(samples), -1, len(self.names)).mean(axis=1))


class TensorFeatures:
    """Mean and standard deviation of all values, since nothing is known of them."""

    names = ("mean", "std")

    def __init__(self, _: TensorInput) -> None:
        pass

    def of(self, samples: Array) -> Array:
        values = samples.reshape(len(samples), -1)
        return np.column_stack([values.mean(axis=1), values.std(axis=1)])


class ClassificationFeatures:
    """The best class and its score.

    Args:
        output: The contract's output half.
    """

    names = (LABEL, "score")

    def __init__(self, output: ClassificationOutput) -> None:
        self._numbers = {label: number for number, label in enumerate(output.labels)}

    def of(self, predictions: Sequence[Row]) -> Array:
        return np.array([(self._numbers[row["label"]], row["score"]) for row in predictions]).reshape(-1, 2)


INPUTS: Final[Mapping[str, Callable[[Any], InputFeatures]]] = {
    "image": ImageFeatures,
    "tabular": TabularFeatures,
    "tensor": TensorFeatures,
}
OUTPUTS: Final[Mapping[str, Callable[[Any], OutputFeatures]]] = {"classification": ClassificationFeatures}


class Features:
    """All features under one contract.

    Args:
        contract: The model's.

    Attributes:
        names: Theirs.
        classes: How many classes the output has.
    """

    def __init__(self, contract: Contract) -> None:
        self._input = INPUTS[contract.input.kind](contract.input)
        self._output = OUTPUTS[contract.output.kind](contract.output)
        self.names = (*self._input.names, *self._output.names)
        self.classes = len(contract.output.labels)

    def of(self, samples: Array, predictions: Sequence[Row], chosen: Array | slice = _ALL) -> Array:
        """Float64 of shape ``(rows, names)``.

        Args:
            samples: Prepared.
            predictions: Theirs, in the same order.
            chosen: The rows of the samples that have predictions; all unless given.
        """
        return np.column_stack([self._input.of(samples)[chosen], self._output.of(predictions)]).astype(np.float64)
