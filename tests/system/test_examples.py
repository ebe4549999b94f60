"""Each example as a newcomer runs it, on fewer files."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from edge_examples.catalogue import EXAMPLES

pytestmark = pytest.mark.system

COMMAND = Path(sys.executable).with_name("edge-run")
FILES = 20


@pytest.mark.parametrize("name", EXAMPLES.keys() - {"digits"})
async def test_an_example_settles_every_file_as_it_should(name: str, tmp_path: Path) -> None:
    arguments = ("job", "--example", name, "--files", str(FILES), "--folder", str(tmp_path / "job"))
    job = await asyncio.create_subprocess_exec(COMMAND, *arguments, stdout=asyncio.subprocess.PIPE)
    said, _ = await job.communicate()
    figures = json.loads(said.splitlines()[-1])
    assert job.returncode == 0, said.decode()
    assert figures == json.loads((tmp_path / "report.json").read_text())
    bad = len(EXAMPLES[name].drops(FILES)) - FILES
    assert (figures["example"], figures["predicted"], figures["quarantined"]) == (name, FILES, bad)
    assert figures["samples"] == sum(len(drop.truth) for drop in EXAMPLES[name].drops(FILES))
    assert figures["accuracy"] > 0.4  # how good depends on how many files the first version got
