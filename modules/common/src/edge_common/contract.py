"""The contract: what a model wants its input to be, and what its outputs mean.

A model package carries it as ``contract.json``. *Input* says how to get from a file to a tensor; its digest is the
*stamp* that every batch carries. *Output* says what the numbers mean. A further kind of input or output is a further
class in the union of its half.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic.alias_generators import to_camel

SCHEMA: Final = 1


class _Half(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class _Input(_Half):
    """What all kinds of input have.

    Attributes:
        name: The graph input that takes it.
        batch: The batch that suits the model, in samples.
    """

    name: str = "input"
    batch: Annotated[int, Field(ge=1, le=1024)] = 16

    @property
    def stamp(self) -> str:
        """SHA-256 of the input half as canonical JSON (sorted keys, no white space), in hex."""
        canonical = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    @property
    def cut(self) -> tuple[Any, ...]:
        """How samples are cut out of files: where two contracts' are equal, a file's samples are of the same places."""
        return ()


class PictureInput(_Input):
    """What is seen, as float32 of shape ``(batch, channels, height, width)``, values ``(pixel - mean) * scale``.

    Attributes:
        width: Pixels.
        height: Pixels.
        channels: ``L`` (luma, one channel), ``RGB`` or ``BGR``.
        resize: ``stretch`` to the size; ``crop`` the middle after scaling to cover it; ``letterbox`` with black after
            scaling to fit.
        decode: ``exact`` decodes in full; ``fast`` lets JPEG be decoded at a reduced scale, which changes pixels a
            little.
        mean: One value a channel, in units of pixels (0 to 255).
        scale: One value a channel.
    """

    kind: Literal["image", "video"]
    width: Annotated[int, Field(ge=1, le=16384)]
    height: Annotated[int, Field(ge=1, le=16384)]
    channels: Literal["L", "RGB", "BGR"] = "RGB"
    resize: Literal["stretch", "crop", "letterbox"] = "stretch"
    decode: Literal["exact", "fast"] = "exact"
    mean: tuple[float, ...]
    scale: tuple[float, ...]

    @model_validator(mode="after")
    def _one_value_a_channel(self) -> Self:
        if not len(self.mean) == len(self.scale) == self.depth:
            raise ValueError(f"mean and scale need {self.depth} values for {self.channels}")
        return self

    @property
    def depth(self) -> int:
        """How many channels."""
        return len(self.channels)

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """One sample: channels, height, width."""
        return (self.depth, self.height, self.width)


class ImageInput(PictureInput):
    """Pictures (JPEG, PNG, BMP, TIFF, WebP, GIF); every page, and every frame of an animation, is a sample."""

    kind: Literal["image"] = "image"


class VideoInput(PictureInput):
    """Videos (MP4, Matroska, AVI), of which some frames are samples.

    Attributes:
        rate: Frames a second: of a video the first frame at 0, 1, 2, … times ``1 / rate`` seconds or after, each once.
    """

    kind: Literal["video"]
    rate: Annotated[float, Field(gt=0, le=1000)]

    @property
    def cut(self) -> tuple[float]:
        """The times of frames."""
        return (self.rate,)


class Column(_Half):
    """One column of a table.

    Attributes:
        name: As the table's head, or field, has it.
        categories: Texts; a value is the number of its text here, from 0. Without any, values are numbers.
        fill: What stands for a value that is missing, not finite, or no known category. Without it, a table with such
            a value is rejected.
    """

    name: str
    categories: tuple[str, ...] = ()
    fill: float | None = None


class TabularInput(_Input):
    """Rows of a table (CSV, JSON Lines or Parquet), as float32 of shape ``(batch, columns)``.

    Attributes:
        columns: In the tensor's order; others are not read.
        window: Consecutive rows that make a sample, of shape ``(batch, window, columns)`` where there are several.
        step: Rows from the begin of one window to the next; what is left at the end of a table is no sample.
        delimiter: Between the values of a CSV file.
    """

    kind: Literal["tabular"]
    columns: Annotated[tuple[Column, ...], Field(min_length=1, max_length=4096)]
    window: Annotated[int, Field(ge=1, le=65536)] = 1
    step: Annotated[int, Field(ge=1, le=65536)] = 1
    delimiter: Annotated[str, Field(pattern=r"^[\t -~]$")] = ","

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.step > self.window:
            raise ValueError("step must not be larger than window")
        if len({column.name for column in self.columns}) < len(self.columns):
            raise ValueError("two columns have the same name")
        return self

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One sample: its rows if there are several, columns."""
        return (len(self.columns),) if self.window == 1 else (self.window, len(self.columns))

    @property
    def cut(self) -> tuple[int, int]:
        """Rows of a window, and from one to the next."""
        return (self.window, self.step)


class TensorInput(_Input):
    """Tensors as they are (``.npy``), as float32.

    Attributes:
        shape: Of one sample. A file holds one, or several along a further first dimension.
    """

    kind: Literal["tensor"]
    shape: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1, max_length=8)]

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """One sample."""
        return self.shape


class AudioInput(_Input):
    """Sound (WAV or FLAC), its channels mixed into one, as float32 of shape ``(batch, frame)``, full scale -1 to 1.

    Attributes:
        rate: Hz; what was recorded at another rate is resampled.
        frame: Values that make a sample.
        step: Values from the begin of one frame to the next; what is left at the end of a file is no sample.
    """

    kind: Literal["audio"]
    rate: Annotated[int, Field(ge=1, le=768_000)]
    frame: Annotated[int, Field(ge=1, le=1 << 20)]
    step: Annotated[int, Field(ge=1, le=1 << 20)]

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.step > self.frame:
            raise ValueError("step must not be larger than frame")
        return self

    @property
    def sample_shape(self) -> tuple[int]:
        """One sample."""
        return (self.frame,)

    @property
    def cut(self) -> tuple[Fraction, Fraction]:
        """Seconds of a frame, and from one to the next."""
        return (Fraction(self.frame, self.rate), Fraction(self.step, self.rate))


def _kind(value: Any) -> Any:
    """The kind of an input half, be it JSON or read; the first contracts named none."""
    return value.get("kind", "image") if isinstance(value, Mapping) else getattr(value, "kind", None)


Input = Annotated[
    Annotated[ImageInput, Tag("image")]
    | Annotated[TabularInput, Tag("tabular")]
    | Annotated[TensorInput, Tag("tensor")]
    | Annotated[AudioInput, Tag("audio")]
    | Annotated[VideoInput, Tag("video")],
    Discriminator(_kind),
]
"""The input half: one class a kind."""


_Name = Annotated[str, Field(min_length=1)]
_Labels = Annotated[tuple[_Name, ...], Field(min_length=1)]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class ClassificationOutput(_Half):
    """One score a class.

    Attributes:
        name: The graph output, of shape ``(batch, classes)``.
        labels: The classes' names, in the output's order.
        activation: What is still to be applied: ``none`` where the graph ends in probabilities, ``softmax`` for logits.
        top_k: How many classes a prediction names.
        alerts: The labels that are an alert when they are the best.
    """

    kind: Literal["classification"] = "classification"
    name: str = "output"
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    activation: Literal["none", "softmax"] = "none"
    top_k: Annotated[int, Field(ge=1, le=100)] = 3
    alerts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _alerts_are_labels(self) -> Self:
        _check_alerts(self.alerts, self.labels)
        return self


class Quantity(_Half):
    """One number that a model predicts.

    Attributes:
        name: Of its column.
        tolerance: How far apart two models' values may be and still say the same.
        low: Less is an alert.
        high: More is an alert.
    """

    name: _Name
    tolerance: Annotated[_Number, Field(ge=0)]
    low: _Number | None = None
    high: _Number | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low must not be more than high")
        return self

    @property
    def bounded(self) -> bool:
        """Whether a value can be an alert."""
        return self.low is not None or self.high is not None


class RegressionOutput(_Half):
    """Numbers.

    Attributes:
        name: The graph output, of shape ``(batch, quantities)``; or ``(batch,)``, if there is one.
        quantities: What they are, in the output's order.
    """

    kind: Literal["regression"]
    name: str = "output"
    quantities: Annotated[tuple[Quantity, ...], Field(min_length=1, max_length=4096)]

    @model_validator(mode="after")
    def _have_columns(self) -> Self:
        names = {quantity.name for quantity in self.quantities}
        if len(names) < len(self.quantities) or "alert" in names:
            raise ValueError("quantities need a name each, and none may be called alert")
        return self


class AnomalyOutput(_Half):
    """How unusual a sample is.

    Attributes:
        name: The graph output, of shape ``(batch,)`` or ``(batch, 1)``; the higher, the more unusual.
        threshold: From here on a score is an alert.
    """

    kind: Literal["anomaly"]
    name: str = "output"
    threshold: _Number


class EmbeddingOutput(_Half):
    """A vector that is near those of similar samples.

    Attributes:
        name: The graph output, of shape ``(batch, dimensions)``.
    """

    kind: Literal["embedding"]
    name: str = "output"


class BoxColumns(_Half):
    """Where a detector's output has something of each candidate.

    Attributes:
        name: The graph output, of shape ``(batch, candidates, columns)``; ``(batch, candidates)`` is one column.
        first: The first of the columns, from 0.
        transposed: Whether the shape is ``(batch, columns, candidates)``.
    """

    name: _Name
    first: Annotated[int, Field(ge=0)] = 0
    transposed: bool = False


class DetectionOutput(_Half):
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
    labels: _Labels
    boxes: BoxColumns
    scores: BoxColumns
    classes: BoxColumns | None = None
    objectness: BoxColumns | None = None
    first_class: Annotated[int, Field(ge=0)] = 0
    format: Literal["corners", "cornersYx", "center"]
    units: Literal["pixels", "share"] = "pixels"
    min_score: Annotated[_Number, Field(ge=0)] = 0.25
    overlap: Annotated[float, Field(gt=0, le=1)] = 0.5
    most: Annotated[int, Field(ge=1, le=1000)] = 100
    alerts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _alerts_are_labels(self) -> Self:
        _check_alerts(self.alerts, self.labels)
        return self


class SegmentationOutput(_Half):
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
    labels: _Labels
    background: tuple[str, ...] = ()
    threshold: _Number | None = None
    min_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    alerts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _alerts_are_labels(self) -> Self:
        _check_alerts(self.alerts, self.labels)
        return self


class RawOutput(_Half):
    """Tensors whose meaning is known elsewhere, a column each, as nested lists.

    Attributes:
        names: The graph outputs, of any shape ``(batch, …)``.
    """

    kind: Literal["raw"]
    names: Annotated[tuple[_Name, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _have_columns(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError("an output is named twice")
        return self


def _check_alerts(alerts: Iterable[str], labels: Iterable[str]) -> None:
    if unknown := {*alerts} - {*labels}:
        raise ValueError(f"alerts must be labels, and {min(unknown)!r} is none")


def _output_kind(value: Any) -> Any:
    """As for the input half; the first contracts could leave it out."""
    return value.get("kind", "classification") if isinstance(value, Mapping) else getattr(value, "kind", None)


SingleOutput = Annotated[
    Annotated[AnomalyOutput, Tag("anomaly")]
    | Annotated[ClassificationOutput, Tag("classification")]
    | Annotated[DetectionOutput, Tag("detection")]
    | Annotated[EmbeddingOutput, Tag("embedding")]
    | Annotated[RawOutput, Tag("raw")]
    | Annotated[RegressionOutput, Tag("regression")]
    | Annotated[SegmentationOutput, Tag("segmentation")],
    Discriminator(_output_kind),
]
"""One meaning: one class a kind."""


class SeveralOutput(_Half):
    """Several meanings at once, such as a class and an embedding.

    Attributes:
        outputs: By the name that goes, with an underscore, before each of its columns.
    """

    kind: Literal["several"]
    outputs: Annotated[
        Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,50}$")], SingleOutput], Field(min_length=1, max_length=32)
    ]


def _is_several(value: Any) -> str:
    return "several" if _output_kind(value) == "several" else "single"


Output = Annotated[
    Annotated[SingleOutput, Tag("single")] | Annotated[SeveralOutput, Tag("several")], Discriminator(_is_several)
]
"""The output half."""


class Contract(_Half):
    """Both halves."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    input: Input
    output: Output
