"""What numbers mean: a class, quantities, how unusual something is, a place among others, or nothing known here."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge_common.contract.half import Half
from edge_common.contract.terms import Name, Number, check_alerts


class ClassificationOutput(Half):
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
        check_alerts(self.alerts, self.labels)
        return self


class Quantity(Half):
    """One number that a model predicts.

    Attributes:
        name: Of its column.
        tolerance: How far apart two models' values may be and still say the same.
        low: Less is an alert.
        high: More is an alert.
    """

    name: Name
    tolerance: Annotated[Number, Field(ge=0)]
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError("low must not be more than high")
        return self

    @property
    def bounded(self) -> bool:
        """Whether a value can be an alert."""
        return self.low is not None or self.high is not None


class RegressionOutput(Half):
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


class AnomalyOutput(Half):
    """How unusual a sample is.

    Attributes:
        name: The graph output, of shape ``(batch,)`` or ``(batch, 1)``; the higher, the more unusual.
        threshold: From here on a score is an alert.
    """

    kind: Literal["anomaly"]
    name: str = "output"
    threshold: Number


class EmbeddingOutput(Half):
    """A vector that is near those of similar samples.

    Attributes:
        name: The graph output, of shape ``(batch, dimensions)``.
    """

    kind: Literal["embedding"]
    name: str = "output"


class RawOutput(Half):
    """Tensors whose meaning is known elsewhere, a column each, as nested lists.

    Attributes:
        names: The graph outputs, of any shape ``(batch, …)``.
    """

    kind: Literal["raw"]
    names: Annotated[tuple[Name, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _have_columns(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError("an output is named twice")
        return self
