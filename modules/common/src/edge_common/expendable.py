"""What a process does at its start that works for another one: whatever it does, it takes nobody down."""

import resource
from pathlib import Path


def be_expendable() -> None:
    """Leave no core dump, and be the first to go where memory ends."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
