"""Which pixels are what."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from edge_common.contract import Input, PictureInput, SegmentationOutput
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.kind import Row, Shapes, Values
from edge_inference.outputs.masks import decode, encode
from edge_inference.session import Array

MAP: Final = 3
"""Dimensions of a map of class numbers."""


class Segmentation:
    """Parallel lists of labels, shares of the sample and masks, the largest first.

    A mask (see :mod:`edge_inference.outputs.masks`) has the ``size`` (height, width) of the graph's output, and covers
    the ``box`` (left, top, right, bottom) of the original picture, in its pixels. ``label`` is the largest, or, where
    one is an alert, the largest alert; ``score`` is its share. Two models agree by the mean intersection over union of
    the labels that either gives. Drift shows in each label's share.

    Args:
        output: The contract's output half.
        wanted: Its input half.

    Raises:
        ContractMismatchError: That half knows no pictures.
    """

    columns: Final = {
        "label": "string",
        "score": "double",
        "labels": "list<string>",
        "shares": "list<double>",
        "masks": "list<string>",
    }

    def __init__(self, output: SegmentationOutput, wanted: Input) -> None:
        if not isinstance(wanted, PictureInput):
            raise ContractMismatchError(f"masks are of pictures, and the contract's input is {wanted.kind}")
        self._output = output
        self._sample = Frame(width=wanted.width, height=wanted.height, box=(0, 0, wanted.width, wanted.height))
        self._told = [number for number, label in enumerate(output.labels) if label not in output.background]
        self.names = (output.name,)
        self.features = {f"share_{output.labels[number]}": 0 for number in self._told}

    def check(self, shapes: Shapes) -> None:
        shape, labels = shapes[self._output.name], len(self._output.labels)
        is_map = len(shape) == MAP and self._output.threshold is None
        if not is_map and (len(shape) != MAP + 1 or (isinstance(shape[1], int) and shape[1] != labels)):
            raise ContractMismatchError(
                f"{labels} labels need an output of shape (batch, {labels}, height, width), not {(*shape,)}"
            )

    def interpret(self, values: Values, frames: Sequence[Frame | None]) -> list[Row]:
        return [self._row(*pair) for pair in zip(values[self._output.name], frames, strict=True)]

    def agree(self, row: Row, other: Row) -> float:
        if row["size"] != other["size"]:
            return 0.0
        one, another = _masks(row), _masks(other)
        nothing = np.zeros(row["size"], bool)
        labels = one.keys() | another.keys()
        shared = [_overlap(one.get(label, nothing), another.get(label, nothing)) for label in labels]
        return float(np.mean(shared)) if shared else 1.0

    def measure(self, rows: Sequence[Row]) -> Array:
        labels = [self._output.labels[number] for number in self._told]
        shares = [dict(zip(row["labels"], row["shares"], strict=True)) for row in rows]
        return np.array([[each.get(label, 0.0) for label in labels] for each in shares]).reshape(-1, len(labels))

    def _masks_of(self, sample: Array) -> Iterator[tuple[str, float, Array]]:
        """Of each label that is there: its share, and which pixels are its."""
        threshold = self._output.threshold
        classes = sample.argmax(axis=0) if threshold is None and sample.ndim == MAP else sample
        for number in self._told:
            mask = classes == number if threshold is None else sample[number] >= threshold
            share = float(mask.mean())
            if share and share >= self._output.min_share:
                yield self._output.labels[number], float(f"{share:.6g}"), mask

    def _row(self, sample: Array, frame: Frame | None) -> Row:
        found = sorted(self._masks_of(sample), key=lambda each: -each[1])
        alerts = [number for number, (label, _, _) in enumerate(found) if label in self._output.alerts]
        label, share, _ = found[next(iter(alerts), 0)] if found else (None, None, None)
        row: dict[str, Any] = {
            "label": label,
            "score": share,
            "labels": [label for label, _, _ in found],
            "shares": [share for _, share, _ in found],
            "masks": [encode(mask) for _, _, mask in found],
            "size": [*sample.shape[-2:]],
            "box": [*(frame or self._sample).box],
        }
        return row | {"alert": bool(alerts)} if self._output.alerts else row


def _masks(row: Row) -> dict[str, Array]:
    size = tuple(row["size"])
    return {label: decode(text, size) for label, text in zip(row["labels"], row["masks"], strict=True)}


def _overlap(one: Array, other: Array) -> float:
    return float((one & other).sum() / (one | other).sum())
