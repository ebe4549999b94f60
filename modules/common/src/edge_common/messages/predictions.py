"""What a model says, and what is found out about it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from edge_common.messages.items import Part
from edge_common.messages.wire import BatchName, Body, ItemId, Ordinal, Sha256, Wire


class ModelIdentity(Wire):
    """Which model made a prediction; ``digest`` is that of its package's manifest (``sha256:…``)."""

    name: str
    version: str
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Mark(StrEnum):
    """Why an item is worth more than others to whoever trains the next model."""

    DRIFT = "drift"
    """It came while the input drifted away from what the model was trained on."""
    DISAGREEMENT = "disagreement"
    """A candidate model, run beside the active one, says something else."""


class PredictedPart(Part):
    """A part with what the model says of it.

    Attributes:
        predictions: One mapping of column to value for each row.
        marks: What is known at once to make it worth sampling.
    """

    predictions: tuple[Mapping[str, Any], ...]
    marks: tuple[Mark, ...] = ()


class PredictionsMessage(Body):
    """``inference`` → ``upload`` and ``$upstream``: what the model says of a batch, or of some of its parts.

    Attributes:
        batch: The batch's name in the tensor store, where the features still are.
        stamp: The contract that the batch was prepared under.
        kind: The output's kind, such as ``classification``.
        model: Which model made the predictions.
        columns: The types of columns (see ``edge_upload.columns``) that not every row's value tells.
        parts: One for each part of the batch.
    """

    batch: BatchName
    stamp: Sha256
    kind: str
    model: ModelIdentity
    columns: Mapping[str, str] = Field(default_factory=dict)
    parts: Annotated[tuple[PredictedPart, ...], Field(min_length=1)]


class Hint(Wire):
    """What was found out about an item after its predictions were sent."""

    id: ItemId
    attempt: Ordinal
    mark: Mark


class HintsMessage(Body):
    """``inference`` → ``upload``: items worth sampling after all. Only wishes: one that comes late is no loss."""

    hints: Annotated[tuple[Hint, ...], Field(min_length=1)]


class FeatureDrift(Wire):
    """How far one feature has drifted: population stability index and Kolmogorov-Smirnov statistic."""

    name: str
    psi: float
    ks: float


class DriftAlert(Body):
    """``inference`` → ``$upstream``: input drift has started, or ended.

    Attributes:
        state: Which of the two.
        cause: The ``input`` itself, or that another ``model`` is active, for which it is judged anew.
        model: What the input drifted away from.
        at: When that was seen.
        since: When it started.
        features: The worst, the worst first.
    """

    state: Literal["started", "ended"]
    cause: Literal["input", "model"]
    model: ModelIdentity
    at: datetime
    since: datetime
    features: tuple[FeatureDrift, ...] = ()
