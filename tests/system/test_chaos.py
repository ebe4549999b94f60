"""The fault suite in its short form."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chaos.enclosure import available

ROOT = Path(__file__).parents[2]
FILES, FAULTS = 400, 24

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.mark.skipif(not available(), reason="no mount namespaces can be made here")
def test_nothing_is_lost_doubled_or_wrong(tmp_path: Path) -> None:
    counts = ["--seed", "1", "--files", str(FILES), "--faults", str(FAULTS)]
    folders = ["--folder", str(tmp_path / "run"), "--models", str(tmp_path / "models")]
    command = [sys.executable, "-m", "chaos", *counts, *folders]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(run.stdout.splitlines()[-1])
    assert figures["files"] >= FILES
    assert figures["faults"] == FAULTS
    assert [figures[kind] for kind in ("lost", "duplicated", "wrong", "unsettled")] == [0, 0, 0, 0]
