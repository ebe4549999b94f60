"""The run's report: a table for people, and one JSON object for machines."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from edge_examples.verdict import Evidence, Verdict

MOST_SENTENCES = 20


@dataclass(frozen=True)
class Report:
    """What the run showed.

    Attributes:
        example: What was run.
        verdict: What became of the files.
        evidence: What that was read from.
        seconds: From the first file dropped to the last one settled.
        swap_ms: From the twin edit to the new model serving.
    """

    example: str
    verdict: Verdict
    evidence: Evidence
    seconds: float
    swap_ms: float

    def figures(self) -> dict[str, Any]:
        """The figures, by the names that scripts rely on."""
        verdict = self.verdict
        return {
            "example": self.example,
            "files": verdict.files,
            "predicted": verdict.predicted,
            "samples": verdict.samples,
            "quarantined": verdict.quarantined,
            "uploaded": verdict.uploaded,
            "lost": verdict.lost,
            "duplicated": verdict.duplicated,
            "accuracy": round(verdict.accuracy, 4),
            "items_per_s": round(verdict.files / self.seconds, 1),
            "latency_p50_ms": round(verdict.latency_ms(50), 1),
            "latency_p99_ms": round(verdict.latency_ms(99), 1),
            "swap_ms": round(self.swap_ms, 1),
        }

    def publish(self, console: Console, path: Path) -> None:
        """Print the report, the JSON object last, and write that to a file, too."""
        line = json.dumps(self.figures())
        path.write_text(line + "\n")
        console.print(Group(self._summary(), self._quarantine(), self._complaints()))
        console.file.write(line + "\n")

    def _summary(self) -> Table:
        verdict, figures = self.verdict, self.figures()
        versions = ", ".join(f"{count} by version {version}" for version, count in verdict.by_version.items())
        rows: Mapping[str, str] = {
            "files dropped": str(verdict.files),
            "predicted": f"{verdict.predicted} ({versions})",
            "samples in them": str(verdict.samples),
            "accuracy": f"{verdict.accuracy:.1%}",
            "quarantined": str(verdict.quarantined),
            "uploaded to the cloud share": str(verdict.uploaded),
            "throughput": f"{figures['items_per_s']} files/s over {self.seconds:.1f} s",
            "file closed to result durable": f"p50 {figures['latency_p50_ms']} ms, p99 {figures['latency_p99_ms']} ms",
            "model swap": f"{figures['swap_ms']} ms",
            "lost": str(verdict.lost),
            "duplicated": str(verdict.duplicated),
        }
        table = Table(title=f"The main job: {self.example}", show_header=False, title_justify="left")
        for name, value in rows.items():
            table.add_row(name, value)
        return table

    def _quarantine(self) -> Table:
        table = Table("quarantined file", "code", "reason", title="Quarantine", title_justify="left")
        for path, reason in sorted(self.evidence.quarantined.items()):
            table.add_row(path, reason["code"], reason["reason"])
        return table

    def _complaints(self) -> Text:
        if self.verdict.clean:
            return Text("Every file is settled as it should be.", style="green")
        complaints = [*self.verdict.wrong[:MOST_SENTENCES]]
        if self.verdict.lost:
            complaints.append(f"{self.verdict.lost} files are neither predicted nor in quarantine")
        if self.verdict.duplicated:
            complaints.append(f"{self.verdict.duplicated} records are there twice")
        return Text("\n".join(complaints), style="red")
