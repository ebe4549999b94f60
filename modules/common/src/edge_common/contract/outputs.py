"""What a model's outputs mean: one kind, or several at once."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from edge_common.contract.half import Half, kind_or
from edge_common.contract.numbers import (
    AnomalyOutput,
    ClassificationOutput,
    EmbeddingOutput,
    RawOutput,
    RegressionOutput,
)
from edge_common.contract.pictures import DetectionOutput, SegmentationOutput

_kind = kind_or("classification")

SingleOutput = Annotated[
    Annotated[AnomalyOutput, Tag("anomaly")]
    | Annotated[ClassificationOutput, Tag("classification")]
    | Annotated[DetectionOutput, Tag("detection")]
    | Annotated[EmbeddingOutput, Tag("embedding")]
    | Annotated[RawOutput, Tag("raw")]
    | Annotated[RegressionOutput, Tag("regression")]
    | Annotated[SegmentationOutput, Tag("segmentation")],
    Discriminator(_kind),
]
"""One meaning: one class a kind."""


class SeveralOutput(Half):
    """Several meanings at once, such as a class and an embedding.

    Attributes:
        outputs: By the name that goes, with an underscore, before each of its columns.
    """

    kind: Literal["several"]
    outputs: Annotated[
        Mapping[Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,50}$")], SingleOutput], Field(min_length=1, max_length=32)
    ]


def _is_several(value: Any) -> str:
    return "several" if _kind(value) == "several" else "single"


Output = Annotated[
    Annotated[SingleOutput, Tag("single")] | Annotated[SeveralOutput, Tag("several")], Discriminator(_is_several)
]
"""The output half."""
