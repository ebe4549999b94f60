"""Examples as a newcomer runs them, on fewer files."""

import asyncio
import json
import sys
from pathlib import Path

from edge_examples.catalogue import EXAMPLES

COMMAND = Path(sys.executable).with_name("edge-run")
FILES = 20


async def check_example(name: str, folder: Path, *arguments: str) -> None:
    """Run an example, which must settle every file as it should.

    Args:
        name: Which.
        folder: Where it keeps what it makes; its report lies beside its job.
        arguments: Further ones for ``edge-run job``.
    """
    options = ("--example", name, "--files", str(FILES), "--folder", str(folder / "job"), *arguments)
    job = await asyncio.create_subprocess_exec(COMMAND, "job", *options, stdout=asyncio.subprocess.PIPE)
    said, _ = await job.communicate()
    figures = json.loads(said.splitlines()[-1])
    assert job.returncode == 0, said.decode()
    assert figures == json.loads((folder / "report.json").read_text())
    bad = len(EXAMPLES[name].drops(FILES)) - FILES
    assert (figures["example"], figures["predicted"], figures["quarantined"]) == (name, FILES, bad)
    assert figures["samples"] == sum(len(drop.truth) for drop in EXAMPLES[name].drops(FILES))
    assert figures["accuracy"] > 0.4  # how good depends on how many files the first version got
