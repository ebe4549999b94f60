"""Why a run did not end well: where everything stands, and what was said last."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from chaos.site import Disks
from edge_simulator.state import State

LINES = 5
LONGEST = 200

ITEMS = "SELECT state || COALESCE(' as ' || code, ''), COUNT(*) FROM item GROUP BY 1"
MESSAGES = "SELECT module || '/' || input, COUNT(*) FROM queue GROUP BY 1"
SPOOLED = "SELECT state, COUNT(*) FROM items GROUP BY 1"
PARTS = """
SELECT CASE WHEN fault IS NOT NULL THEN 'set aside' WHEN shard IS NOT NULL THEN 'in a shard'
            WHEN ready THEN 'waiting for the store' ELSE 'waiting for their like' END, COUNT(*)
FROM parts GROUP BY 1
"""


@dataclass(frozen=True)
class Diagnosis:
    """What helps to find out why.

    Attributes:
        stages: How much stands where, by stage.
        logs: Each process's last lines.
    """

    stages: Mapping[str, str]
    logs: Mapping[str, Sequence[str]]

    def lines(self) -> list[str]:
        """It, for people."""
        stages = [f"{stage}: {stand}" for stage, stand in self.stages.items()]
        logs = [line for name, last in self.logs.items() for line in ("", f"the end of {name}'s log:", *last)]
        return [*stages, *logs]


def diagnose(disks: Disks, state: State, logs: Sequence[Path]) -> Diagnosis:
    """Look around, after the suite has stopped.

    Args:
        disks: The run's.
        state: The simulator's.
        logs: What the processes have said.
    """
    spool = disks.spool.content / "spool.db"
    stages = {
        "ingest's items": _counts(disks.ledger.content / "ledger.db", ITEMS),
        "messages on their way": _counts(state.database, MESSAGES),
        "batches in the tensor store": str(sum(1 for _ in disks.tensors.content.rglob("*.npy"))),
        "upload's items": _counts(spool, SPOOLED),
        "upload's parts": _counts(spool, PARTS),
    }
    return Diagnosis(stages, {log.stem: _last_lines(log) for log in logs})


def _counts(database: Path, query: str) -> str:
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            counts = connection.execute(query).fetchall()
    except sqlite3.Error as error:
        return f"cannot be read ({error})"
    return ", ".join(f"{count} {what}" for what, count in counts) or "none"


def _last_lines(log: Path) -> list[str]:
    return [line[:LONGEST] for line in log.read_text(errors="replace").splitlines()[-LINES:]]
