"""What came of the loop."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass
class Report:
    """What came of the loop.

    Attributes:
        accuracy_before: On the held-out pictures, by what the device stored of the first model.
        accuracy_after: On the same, of the next model.
        refused_by_gate: Whether the worse model was refused, and changed nothing.
        rolled_back: Whether the device itself returned from the forced one.
        seconds: That each part took.
        steps: And each step of ``edge-mlops``, by model.
        complaints: What is otherwise than it should be.
    """

    accuracy_before: float = 0.0
    accuracy_after: float = 0.0
    refused_by_gate: bool = False
    rolled_back: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    steps: dict[str, Mapping[str, float]] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def demand(self, otherwise: str, *so: bool) -> bool:
        """Complain if not all is so; gives whether it is."""
        if not all(so):
            self.complaints.append(otherwise)
        return all(so)

    @property
    def ok(self) -> bool:
        """Whether all is as it should be."""
        return self.refused_by_gate and self.rolled_back and not self.complaints

    def figures(self) -> dict[str, Any]:
        """The figures, by the names that scripts rely on."""
        return {
            "ok": self.ok,
            "accuracy_before": round(self.accuracy_before, 4),
            "accuracy_after": round(self.accuracy_after, 4),
            "refused_by_gate": self.refused_by_gate,
            "rolled_back": self.rolled_back,
            "seconds": self.seconds
            | {f"{name}.{step}": s for name, took in self.steps.items() for step, s in took.items()},
        }

    def publish(self, console: Console) -> None:
        """Print it, the JSON object last."""
        table = Table("", "seconds", title="The loop", title_justify="left")
        for name, seconds in self.figures()["seconds"].items():
            table.add_row(name.replace("_", " "), f"{seconds:.1f}")
        console.print(table)
        console.print(
            f"accuracy on held-out pictures: {self.accuracy_before:.1%} before, {self.accuracy_after:.1%} after"
        )
        for complaint in self.complaints:
            console.print(complaint, style="red", markup=False)
        console.file.write(json.dumps(self.figures()) + "\n")
