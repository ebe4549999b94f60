"""The contract: what a model wants its input to be, and what its outputs mean.

A model package carries it as ``contract.json``. *Input* says how to get from a file to a tensor; its digest is the
*stamp* that every batch carries. *Output* says what the numbers mean. A further kind of input or output is a further
class in the union of its half.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from edge_common.contract.half import Half
from edge_common.contract.inputs import (
    AudioInput,
    Column,
    ImageInput,
    Input,
    PictureInput,
    TabularInput,
    TensorInput,
    VideoInput,
)
from edge_common.contract.numbers import (
    AnomalyOutput,
    ClassificationOutput,
    EmbeddingOutput,
    Quantity,
    RawOutput,
    RegressionOutput,
)
from edge_common.contract.outputs import Output, SeveralOutput, SingleOutput
from edge_common.contract.pictures import BoxColumns, DetectionOutput, SegmentationOutput

__all__ = [
    "SCHEMA",
    "AnomalyOutput",
    "AudioInput",
    "BoxColumns",
    "ClassificationOutput",
    "Column",
    "Contract",
    "DetectionOutput",
    "EmbeddingOutput",
    "ImageInput",
    "Input",
    "Output",
    "PictureInput",
    "Quantity",
    "RawOutput",
    "RegressionOutput",
    "SegmentationOutput",
    "SeveralOutput",
    "SingleOutput",
    "TabularInput",
    "TensorInput",
    "VideoInput",
]

SCHEMA: Final = 1


class Contract(Half):
    """Both halves."""

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    input: Input
    output: Output
