"""What is where in a picture: boxes, or pixels."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge_common.contract.half import Half
from edge_common.contract.terms import Labels, Name, Number, check_alerts


class BoxColumns(Half):
    """Where a detector's output has something of each candidate.

    Attributes:
        name: The graph output, of shape ``(batch, candidates, columns)``; ``(batch, candidates)`` is one column.
        first: The first of the columns, from 0.
        transposed: Whether the shape is ``(batch, columns, candidates)``.
    """

    name: Name
    first: Annotated[int, Field(ge=0)] = 0
    transposed: bool = False


class DetectionOutput(Half):
    """Objects, each with a box, a label and a score; boxes come out in pixels of the original picture.

    Where the numbers lie is said here, so that no detector's layout is in the code:

    - YOLO v8 and v11, ``(batch, 4 + classes, candidates)``: boxes ``{"name": "output0", "transposed": true}``, scores
      the same with ``"first": 4``; format ``center``.
    - YOLO v5, ``(batch, candidates, 5 + classes)``: besides, objectness ``{"name": "output0", "first": 4}`` and scores
      with ``"first": 5``, not transposed.
    - YOLO v10, ``(batch, candidates, 6)``: scores with ``"first": 4``, classes with ``"first": 5``; format ``corners``,
      overlap 1.
    - SSD: boxes, scores and classes are outputs of their own; format ``corners``, or ``cornersYx`` as in TensorFlow;
      units ``share``; firstClass 1 where class 0 is the background, or, with scores for each class, ``"first": 1``.

    Attributes:
        labels: The classes' names, from ``first_class`` on.
        boxes: Four columns.
        scores: One column for each class, or one for all where ``classes`` is given.
        classes: One column: the number of the class.
        objectness: One column, which every score is multiplied by.
        first_class: The number of the first label in ``classes``.
        format: ``corners`` (left, top, right, bottom), ``cornersYx`` (top, left, bottom, right) or ``center`` (its
            across and down, width, height).
        units: ``pixels`` of the prepared sample, or its ``share``: 1 is all of its width, or height.
        min_score: Candidates with less are none.
        overlap: Of two boxes of one class whose intersection is more than this share of their union, the one with the
            lower score goes; 1 lets all stand.
        most: Boxes in a prediction, those with the highest scores.
        alerts: The labels that are an alert.
    """

    kind: Literal["detection"]
    labels: Labels
    boxes: BoxColumns
    scores: BoxColumns
    classes: BoxColumns | None = None
    objectness: BoxColumns | None = None
    first_class: Annotated[int, Field(ge=0)] = 0
    format: Literal["corners", "cornersYx", "center"]
    units: Literal["pixels", "share"] = "pixels"
    min_score: Annotated[Number, Field(ge=0)] = 0.25
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    alerts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _alerts_are_labels(self) -> Self:
        check_alerts(self.alerts, self.labels)
        return self


class SegmentationOutput(Half):
    """Which pixels are what.

    Attributes:
        name: The graph output: scores of shape ``(batch, classes, height, width)``; or, without a threshold, also the
            number of each pixel's class, of shape ``(batch, height, width)``.
        labels: The classes' names, in the output's order.
        background: Those of the labels that are not told.
        threshold: Where the score of a class reaches it, a pixel is of that class, be it of others, too. Without one, a
            pixel is of the class with the highest score.
        min_share: Labels that cover a smaller share of the sample are not told.
        alerts: The labels that are an alert.
    """

    kind: Literal["segmentation"]
    name: str = "output"
    labels: Labels
    background: tuple[str, ...] = ()
    threshold: Number | None = None
    min_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    alerts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _alerts_are_labels(self) -> Self:
        check_alerts(self.alerts, self.labels)
        return self
