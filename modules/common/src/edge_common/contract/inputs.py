"""How to get from a file to a tensor: a class for each kind of input."""

import hashlib
import json
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from edge_common.contract.half import Half, kind_or

Dtype = Literal["float32", "uint8"]


class _Input(Half):
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
    def sample_dtype(self) -> Dtype:
        """What a sample's numbers are, as NumPy names it."""
        return "float32"

    @property
    def cut(self) -> tuple[Any, ...]:
        """How samples are cut out of files: where two contracts' are equal, a file's samples are of the same places."""
        return ()


def _is_float(dtype: str) -> bool:
    return dtype == "float32"


class PictureInput(_Input):
    """What is seen, of shape ``(batch, channels, height, width)``, values ``(pixel - mean) * scale``.

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
        dtype: ``float32``; or ``uint8`` for a graph that takes pixels as they are, with a mean of 0 and a scale of 1.
            Where it is float32 it is not written, since an older release knows nothing else.
    """

    kind: Literal["image", "video"]
    width: Annotated[int, Field(ge=1, le=16384)]
    height: Annotated[int, Field(ge=1, le=16384)]
    channels: Literal["L", "RGB", "BGR"] = "RGB"
    resize: Literal["stretch", "crop", "letterbox"] = "stretch"
    decode: Literal["exact", "fast"] = "exact"
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    dtype: Annotated[Dtype, Field(exclude_if=_is_float)] = "float32"

    @model_validator(mode="after")
    def _one_value_a_channel(self) -> Self:
        if not len(self.mean) == len(self.scale) == self.depth:
            raise ValueError(f"mean and scale need {self.depth} values for {self.channels}")
        if self.dtype == "uint8" and {*self.mean, *(scale - 1 for scale in self.scale)} != {0}:
            raise ValueError("pixels stay uint8 only with a mean of 0 and a scale of 1")
        return self

    @property
    def sample_dtype(self) -> Dtype:
        """What a sample's numbers are, as NumPy names it."""
        return self.dtype

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


class Column(Half):
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


Input = Annotated[
    Annotated[ImageInput, Tag("image")]
    | Annotated[TabularInput, Tag("tabular")]
    | Annotated[TensorInput, Tag("tensor")]
    | Annotated[AudioInput, Tag("audio")]
    | Annotated[VideoInput, Tag("video")],
    Discriminator(kind_or("image")),
]
"""The input half: one class a kind."""
