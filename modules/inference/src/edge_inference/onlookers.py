"""Who sees every batch that was answered."""

from collections.abc import Sequence
from dataclasses import dataclass

from edge_common.messages import PredictedPart
from edge_inference.answers import Answer
from edge_inference.drift.monitor import DriftMonitor
from edge_inference.model import LoadedModel
from edge_inference.trial import Watch


@dataclass(frozen=True)
class Onlookers:
    """All of them; none makes an answer wait.

    Attributes:
        watch: Holds candidates to what serves.
        drift: Holds the input to what a model was made for.
    """

    watch: Watch
    drift: DriftMonitor

    def answered(self, model: LoadedModel, given: Answer, seconds: float) -> None:
        """A model has answered a batch, which took so long."""
        self.watch.answered(model, given, seconds)
        self.drift.answered(model, given)

    def mark(self, parts: Sequence[PredictedPart]) -> Sequence[PredictedPart]:
        """The parts, with what is known at once to make them worth sampling."""
        return self.drift.mark(parts)

    def close(self) -> None:
        """Wait for what they have in hand."""
        self.watch.close()
        self.drift.close()
