"""What a run showed: tables for people, and one JSON object for machines."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from chaos.diagnosis import Diagnosis
from chaos.feeder import Delivery
from chaos.injector import Injected
from chaos.referee import Trouble

MOST_TROUBLES = 40


@dataclass(frozen=True)
class Report:
    """The result of a run.

    Attributes:
        seed: What decided.
        deliveries: What was written.
        injected: What went wrong.
        troubles: What is not as it should be.
        quarantined: Files in quarantine.
        seconds: From the first file to the last one settled.
        diagnosis: Where there are troubles, what helps to find out why.
    """

    seed: int
    deliveries: Sequence[Delivery]
    injected: Sequence[Injected]
    troubles: Sequence[Trouble]
    quarantined: int
    seconds: float
    diagnosis: Diagnosis | None

    def figures(self) -> dict[str, Any]:
        """The figures, by the names that scripts rely on."""
        kinds = Counter(trouble.kind for trouble in self.troubles)
        return {
            "seed": self.seed,
            "files": len({delivery.path for delivery in self.deliveries}),
            "faults": len(self.injected),
            "lost": kinds["lost"],
            "duplicated": kinds["duplicated"],
            "wrong": kinds["wrong"],
            "unsettled": kinds["unsettled"],
            "quarantined": self.quarantined,
            "contents": len(self.deliveries),
            "seconds": round(self.seconds, 1),
        }

    def publish(self, console: Console) -> None:
        """Print the report, the JSON object last."""
        console.print(self._faults())
        for line in (*self._troubles(), *(self.diagnosis.lines() if self.diagnosis else ())):
            console.print(line, soft_wrap=True, markup=False, highlight=False)
        console.file.write(json.dumps(self.figures()) + "\n")

    def _troubles(self) -> list[str]:
        return [f"{trouble.kind} {trouble.path}: {trouble.what}" for trouble in self.troubles[:MOST_TROUBLES]]

    def _faults(self) -> Table:
        """A fault is survived where all is well with every file that came before its end and was not settled yet."""
        began = self._troubled_since()
        injected = Counter(fault.name for fault in self.injected)
        survived = Counter(fault.name for fault in self.injected if began is None or fault.ended < began)
        table = Table("fault", "injected", "survived", title="Faults", title_justify="left")
        for name, count in sorted(injected.items()):
            table.add_row(name, str(count), str(survived[name]), style=None if survived[name] == count else "red")
        return table

    def _troubled_since(self) -> float | None:
        """When the first file came that something is wrong with."""
        paths = {trouble.path for trouble in self.troubles}
        if not paths:
            return None
        return min((delivery.at for delivery in self.deliveries if delivery.path in paths), default=0.0)
