"""The fault suite in its short form, and a release that is rolled back."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chaos.enclosure import available
from chaos.launch import has_previous

ROOT = Path(__file__).parents[2]
FILES, FAULTS = 400, 24

pytestmark = [
    pytest.mark.system,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not available(), reason="no mount namespaces can be made here"),
]


def chaos(folder: Path, *options: str) -> dict[str, Any]:
    """Run the fault suite, and return its figures."""
    folders = ["--folder", str(folder / "run"), "--models", str(folder / "models")]
    command = [sys.executable, "-m", "chaos", "--seed", "1", *options, *folders]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    figures: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    assert [figures[kind] for kind in ("lost", "duplicated", "wrong", "unsettled")] == [0, 0, 0, 0]
    return figures


def test_nothing_is_lost_doubled_or_wrong(tmp_path: Path) -> None:
    figures = chaos(tmp_path, "--files", str(FILES), "--faults", str(FAULTS))
    assert figures["files"] >= FILES
    assert figures["faults"] == FAULTS


@pytest.mark.skipif(not has_previous(), reason="the release before is not in the repository's history")
def test_modules_of_the_release_before_go_on_with_the_ledger_and_the_spool_of_this_one(tmp_path: Path) -> None:
    figures = chaos(tmp_path, "--files", "200", "--faults", "4", "--only", "of the previous release")
    assert figures["faults"] == 4
