"""The contract: what a model wants its input to be, and what its outputs mean.

A model package carries it as ``contract.json``. *Input* says how to get from a file to a tensor; its digest is the
*stamp* that every batch carries. *Output* says what the numbers mean. A further kind of input or output is a further
class in the union of its half.
"""

import hashlib
import json
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

SCHEMA: Final = 1


class _Half(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )


class ImageInput(_Half):
    """Pictures, as one float32 tensor of shape ``(batch, channels, height, width)``, values ``(pixel - mean) * scale``.

    Attributes:
        name: The graph input that takes it.
        width: Pixels.
        height: Pixels.
        channels: ``L`` (luma, one channel), ``RGB`` or ``BGR``.
        resize: ``stretch`` to the size; ``crop`` the middle after scaling to cover it; ``letterbox`` with black after
            scaling to fit.
        decode: ``exact`` decodes in full; ``fast`` lets JPEG be decoded at a reduced scale, which changes pixels a
            little.
        mean: One value a channel, in units of pixels (0 to 255).
        scale: One value a channel.
        batch: The batch that suits the model, in samples.
    """

    kind: Literal["image"] = "image"
    name: str = "input"
    width: Annotated[int, Field(ge=1, le=16384)]
    height: Annotated[int, Field(ge=1, le=16384)]
    channels: Literal["L", "RGB", "BGR"] = "RGB"
    resize: Literal["stretch", "crop", "letterbox"] = "stretch"
    decode: Literal["exact", "fast"] = "exact"
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    batch: Annotated[int, Field(ge=1, le=1024)] = 16

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

    @property
    def stamp(self) -> str:
        """SHA-256 of the input half as canonical JSON (sorted keys, no white space), in hex."""
        canonical = json.dumps(self.model_dump(mode="json", by_alias=True), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


class ClassificationOutput(_Half):
    """One score a class.

    Attributes:
        name: The graph output, of shape ``(batch, classes)``.
        labels: The classes' names, in the output's order.
        activation: What is still to be applied: ``none`` where the graph ends in probabilities, ``softmax`` for logits.
        top_k: How many classes a prediction names.
    """

    kind: Literal["classification"] = "classification"
    name: str = "output"
    labels: Annotated[tuple[str, ...], Field(min_length=1)]
    activation: Literal["none", "softmax"] = "none"
    top_k: Annotated[int, Field(ge=1, le=100)] = 3


class Contract(_Half):
    """Both halves."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    input: ImageInput
    output: ClassificationOutput
