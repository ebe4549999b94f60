"""What a rollout tells while it goes on, and what came of it."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from rich.table import Table

from edge_mlops.rollout.board import Counts
from edge_mlops.rollout.standing import Standing


@dataclass(frozen=True, slots=True)
class Event:
    """Something has happened.

    Attributes:
        what: What.
        detail: More of it.
        device: To which device; empty if to the rollout.
    """

    what: str
    detail: str = ""
    device: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.device, self.what, self.detail) if part)

    def json(self) -> str:
        """As a line of JSON."""
        return json.dumps({name: value for name, value in asdict(self).items() if value})


Tell = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class WaveReport:
    """How a wave ended: its condition, and how many of its devices stand how."""

    condition: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a rollout.

    Attributes:
        rollout: Its id.
        reason: Why it was rolled back; empty if it was not.
        waves: How each ended.
    """

    rollout: str
    reason: str
    waves: Sequence[WaveReport]

    @property
    def ok(self) -> bool:
        """Whether the devices keep the model."""
        return not self.reason

    def total(self, standing: Standing) -> int:
        """How many devices stand so."""
        return sum(wave.counts[standing] for wave in self.waves)

    def json(self) -> str:
        """As a line of JSON."""
        waves = [{"condition": wave.condition, **wave.counts} for wave in self.waves]
        return json.dumps({"rollout": self.rollout, "ok": self.ok, "reason": self.reason, "waves": waves})

    def table(self) -> Table:
        """As a table: a row a wave, a column for each standing that there is."""
        columns = [standing for standing in Standing if self.total(standing)]
        drawn = Table("wave", "devices", *columns)
        for wave in self.waves:
            counts = (str(wave.counts[standing]) for standing in columns)
            drawn.add_row(wave.condition, str(wave.counts.total()), *counts)
        return drawn
