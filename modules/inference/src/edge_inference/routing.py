"""What routes can test of predictions: the properties of a message, and which parts go into one together. Pure.

``alert`` is ``true`` or ``false`` where the model's output knows alerts: whether any row is one. ``label`` is what all
rows say that have the message's verdict, if they say the same; ``score`` the highest of theirs. So that a route takes
alerts and nothing else, they are never sent with other parts, nor with those of another label.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from edge_common.messages import PredictedPart
from edge_inference.outputs.kind import Row


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rows of a part say together.

    Attributes:
        alert: Whether any is an alert; None where the output knows none.
        label: Theirs, of those that are an alert, if one is; None if they differ.
        score: The highest of theirs.
    """

    alert: bool | None
    label: str | None
    score: float | None

    @property
    def properties(self) -> Mapping[str, str]:
        """As a message has them."""
        told = {
            "alert": None if self.alert is None else str(self.alert).lower(),
            "label": self.label,
            "score": None if self.score is None else f"{self.score:.6g}",
        }
        return {name: text for name, text in told.items() if text is not None}


def verdict(rows: Sequence[Row]) -> Verdict:
    """What rows say together."""
    alerts = [row["alert"] for row in rows if isinstance(row.get("alert"), bool)]
    alert = any(alerts) if alerts else None
    telling = [row for row in rows if row.get("alert") is True] if alert else rows
    label = next((row.get("label") for row in telling), None)
    if any(row.get("label") != label for row in telling):
        label = None
    scores = [row["score"] for row in telling if isinstance(row.get("score"), float)]
    return Verdict(alert, label if isinstance(label, str) else None, max(scores, default=None))


def together(parts: Iterable[PredictedPart]) -> Iterable[Sequence[PredictedPart]]:
    """The parts that may go into one message: alerts by their label, and all others."""
    groups: dict[tuple[bool, str | None], list[PredictedPart]] = {}
    for part in parts:
        said = verdict(part.predictions)
        groups.setdefault((True, said.label) if said.alert else (False, None), []).append(part)
    return groups.values()
