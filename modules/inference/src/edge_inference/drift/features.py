"""A few numbers a sample that say how it looks, and how sure the model is of it; by the contract's kinds.

Pictures: of each channel ``mean_<channel>`` and ``std_<channel>``, and ``sharpness``, the mean absolute difference of
neighbours in a row; all in the units of the prepared sample, on a grid of some ``MOST_PIXELS`` pixels a channel.
Tables: each column, or its mean over the window. Tensors: ``mean`` and ``std``.
Sounds: ``level``, the root mean square, and ``crossings``, how often a value has another sign than the one before.
Outputs: what their kind measures (see :mod:`edge_inference.outputs`).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np

from edge_common.contract import AudioInput, Contract, PictureInput, TabularInput, TensorInput
from edge_inference.outputs import interpreter
from edge_inference.outputs.kind import Row
from edge_inference.session import Array

MOST_PIXELS: Final = 1024
"""Looked at in each channel: so that a large picture costs no more than a small one."""

_ALL: Final = slice(None)


class InputFeatures(Protocol):
    """What is looked at in one kind of input."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its features."""

    def of(self, samples: Array) -> Array:
        """Float of shape ``(rows, names)``, from prepared samples."""


class ImageFeatures:
    """Light, contrast and sharpness.

    Args:
        wanted: The contract's input half.
    """

    def __init__(self, wanted: PictureInput) -> None:
        names = [f"{name}_{channel}" for name in ("mean", "std") for channel in wanted.channels]
        self.names = (*names, "sharpness")
        self._step = math.ceil(math.sqrt(wanted.width * wanted.height / MOST_PIXELS))

    def of(self, samples: Array) -> Array:
        step = self._step
        grid = np.ascontiguousarray(samples[:, :, ::step, ::step], np.float32)
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


class AudioFeatures:
    """How loud it is, and how high."""

    names = ("level", "crossings")

    def __init__(self, _: AudioInput) -> None:
        pass

    def of(self, samples: Array) -> Array:
        level = np.sqrt(np.einsum("sf,sf->s", samples, samples) / samples.shape[1])
        return np.column_stack([level, np.diff(samples > 0, axis=1).sum(axis=1) / samples.shape[1]])


INPUTS: Final[Mapping[str, Callable[[Any], InputFeatures]]] = {
    "image": ImageFeatures,
    "tabular": TabularFeatures,
    "tensor": TensorFeatures,
    "audio": AudioFeatures,
}


class Features:
    """All features under one contract.

    Args:
        contract: The model's.

    Attributes:
        names: Theirs; one of the output's that the input has, too, is told apart by ``prediction_``.
        classes: How many classes there are, for each feature that is the number of one.
    """

    def __init__(self, contract: Contract) -> None:
        self._input = INPUTS[contract.input.kind](contract.input)
        self._output = interpreter(contract)
        ours = {f"prediction_{name}" if name in self._input.names else name: name for name in self._output.features}
        self.names = (*self._input.names, *ours)
        self.classes = {name: classes for name in ours if (classes := self._output.features[ours[name]])}

    def of(self, samples: Array, predictions: Sequence[Row], chosen: Array | slice = _ALL) -> Array:
        """Float64 of shape ``(rows, names)``.

        Args:
            samples: Prepared.
            predictions: Theirs, in the same order.
            chosen: The rows of the samples that have predictions; all unless given.
        """
        return np.column_stack([self._input.of(samples)[chosen], self._output.measure(predictions)]).astype(np.float64)
