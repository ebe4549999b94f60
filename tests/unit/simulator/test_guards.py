"""A run within a run: each has its guard, and neither guard falls to the other."""

import os
import subprocess
import sys

SCRIPT = """
import os
from pathlib import Path
from edge_simulator.agent.guard import guard
with guard():
    (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    print("outer-mark" in Path(f"/proc/{child}/environ").read_text())
"""


def test_a_guard_does_not_carry_the_mark_of_the_run_around_it() -> None:
    outer = {**os.environ, "EDGE_SIMULATOR_RUN": "outer-mark"}
    shown = subprocess.run([sys.executable, "-c", SCRIPT], env=outer, check=True, capture_output=True, text=True)
    assert shown.stdout == "False\n"
