"""How many predictions came with which label. No I/O here, so that a test needs nothing but a message."""

from collections import Counter
from collections.abc import Mapping

from edge_common.messages import Body, PredictionsMessage


class CountsMessage(Body):
    """What is sent.

    Attributes:
        counts: How many predictions came since the message before, by label; by kind of output where there is none.
    """

    counts: Mapping[str, int]


class Counting:
    """Counts until it is asked. A message that comes twice, as any may, counts twice."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, message: PredictionsMessage) -> None:
        """Count a message's predictions."""
        for part in message.parts:
            self._counts.update(str(prediction.get("label", message.kind)) for prediction in part.predictions)

    def take(self) -> CountsMessage | None:
        """What was counted since the last time, or None for nothing."""
        taken, self._counts = self._counts, Counter()
        return CountsMessage(counts=taken) if taken else None
