"""What a part of the benchmark found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.goals import Goal

Cell = str | int | float


@dataclass(frozen=True)
class Findings:
    """A table, and how to read it.

    Attributes:
        title: What was measured.
        rows: All of the same columns, by their headings.
        note: What the columns mean, and what was aimed at.
        figures: What of it the last line says.
        picture: A drawing of it.
        goals: What was aimed at.
    """

    title: str
    rows: Sequence[Mapping[str, Cell]]
    note: str
    figures: Mapping[str, float] = field(default_factory=dict)
    picture: Path | None = None
    goals: Sequence[Goal] = ()

    def markdown(self) -> str:
        """A section of a page that lies beside the picture."""
        head = [*self.rows[0]]
        lines = [head, ["---:" if _is_number(value) else "---" for value in self.rows[0].values()]]
        lines += [[_text(row[column]) for column in head] for row in self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        shown = [f"![{self.title}]({self.picture.name})"] if self.picture else []
        return "\n\n".join([f"## {self.title}", table, self.note, *shown]) + "\n"


def _is_number(value: Cell) -> bool:
    return not isinstance(value, str)


def _text(value: Cell) -> str:
    """Three digits that count, and no exponent."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004
