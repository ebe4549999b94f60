"""Objects, each with a box, a label and a score."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from edge_common.contract import BoxColumns, DetectionOutput, Input, PictureInput
from edge_common.messages import Frame
from edge_inference.errors import ContractMismatchError
from edge_inference.outputs.boxes import corners, in_picture, keep, matching
from edge_inference.outputs.kind import Row, Shape, Shapes, Values
from edge_inference.outputs.numbers import short
from edge_inference.session import Array

MOST_CANDIDATES: Final = 1000
"""The best are looked at: a graph may give a hundred thousand, none of which is sure."""


class Detection:
    """Parallel lists of labels, scores and boxes (left, top, right, bottom), the best first.

    ``label`` and ``score`` are the best one's, or, where one is an alert, the best alert's. Two models agree by the F1
    of their boxes. Drift shows in how many there are, and in the best one's score.

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
        "scores": "list<double>",
        "boxes": "list<list<double>>",
    }
    features: Final = {"boxes": 0, "score": 0}

    def __init__(self, output: DetectionOutput, wanted: Input) -> None:
        if not isinstance(wanted, PictureInput):
            raise ContractMismatchError(f"boxes are of pictures, and the contract's input is {wanted.kind}")
        self._output = output
        self._size = (wanted.width, wanted.height)
        parts = (output.boxes, output.scores, output.classes, output.objectness)
        self._parts = [part for part in parts if part]
        self.names = tuple(dict.fromkeys(part.name for part in self._parts))

    def check(self, shapes: Shapes) -> None:
        candidates = {self._candidates(part, shapes[part.name]) for part in self._parts}
        if len({count for count in candidates if isinstance(count, int)}) > 1:
            raise ContractMismatchError("a detector's outputs must have the same number of candidates")

    def interpret(self, values: Values, frames: Sequence[Frame | None]) -> list[Row]:
        return [
            self._row({name: array[number] for name, array in values.items()}, frame)
            for number, frame in enumerate(frames)
        ]

    def agree(self, row: Row, other: Row) -> float:
        return matching(_boxes(row), row["labels"], _boxes(other), other["labels"])

    def measure(self, rows: Sequence[Row]) -> Array:
        return np.array([(len(row["scores"]), max(row["scores"], default=0)) for row in rows]).reshape(-1, 2)

    def _candidates(self, part: BoxColumns, shape: Shape) -> int | str | None:
        """How many there are, as far as the shape says.

        Raises:
            ContractMismatchError: The columns are not there.
        """
        width = self._width(part)
        match (*shape,):
            case (_, candidates):
                columns: int | str | None = 1
            case (_, columns, candidates) if part.transposed:
                pass
            case (_, candidates, columns):
                pass
            case _:
                candidates, columns = None, 0
        if not isinstance(columns, int) or columns >= part.first + width:
            return candidates
        raise ContractMismatchError(
            f"columns {part.first} to {part.first + width - 1} of candidates are wanted of {part.name!r}, which is of "
            f"shape {(*shape,)}"
        )

    def _width(self, part: BoxColumns) -> int:
        if part is self._output.boxes:
            return 4
        return len(self._output.labels) if part is self._output.scores and not self._output.classes else 1

    def _read(self, part: BoxColumns, sample: Values) -> Array:
        """Some columns of one sample's candidates."""
        array = sample[part.name]
        columns = array.reshape(len(array), -1) if array.ndim == 1 else array.T if part.transposed else array
        return columns[:, part.first : part.first + self._width(part)]

    def _scored(self, sample: Values) -> tuple[Array, Array]:
        """Each candidate's score, and the number of its label."""
        scores = self._read(self._output.scores, sample)
        if self._output.classes:
            classes = self._read(self._output.classes, sample)[:, 0].astype(np.int64) - self._output.first_class
        else:
            classes = scores.argmax(axis=1)
        best = scores.max(axis=1)
        if self._output.objectness:
            best = best * self._read(self._output.objectness, sample)[:, 0]
        known = (classes >= 0) & (classes < len(self._output.labels))
        return np.where(known, best, -np.inf), classes

    def _row(self, sample: Values, frame: Frame | None) -> Row:
        scores, classes = self._scored(sample)
        [likely] = np.nonzero(scores >= self._output.min_score)
        likely = likely[np.argsort(-scores[likely], kind="stable")][:MOST_CANDIDATES]
        boxes = self._placed(self._read(self._output.boxes, sample)[likely], frame)
        kept = keep(boxes, scores[likely], classes[likely], self._output.overlap, self._output.most)
        return self._told(boxes[kept], scores[likely][kept], classes[likely][kept])

    def _placed(self, columns: Array, frame: Frame | None) -> Array:
        """Boxes in the picture; where nothing is known of that, in the sample."""
        boxes = corners(columns.astype(np.float64), self._output.format)
        if self._output.units == "pixels":
            boxes = boxes / np.array(self._size * 2)
        width, height = self._size
        return in_picture(boxes, frame or Frame(width=width, height=height, box=(0, 0, width, height)))

    def _told(self, boxes: Array, scores: Array, classes: Array) -> Row:
        labels = [self._output.labels[number] for number in classes.tolist()]
        alerts = [number for number, label in enumerate(labels) if label in self._output.alerts]
        told = {"labels": labels, "scores": short(scores), "boxes": np.round(boxes, 1).tolist()}
        first = next(iter(alerts), 0)
        best: dict[str, Any] = {
            "label": labels[first] if labels else None,
            "score": told["scores"][first] if labels else None,
        }
        return {**best, **told, **({"alert": bool(alerts)} if self._output.alerts else {})}


def _boxes(row: Row) -> Array:
    return np.array(row["boxes"]).reshape(-1, 4)
