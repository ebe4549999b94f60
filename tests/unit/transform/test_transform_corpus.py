"""Every file of the corpus ends as it should, in bounded time and memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from corpus import CASES, Case
from edge_common.contract import ImageInput
from edge_common.errors import ItemError
from edge_transform.prepare import prepare, prepare_rows

WANTED = ImageInput(width=32, height=32, mean=(0, 0, 0), scale=(1, 1, 1))
CONTRACTS = {"RGB": WANTED, "L": ImageInput(width=32, height=32, channels="L", mean=(0,), scale=(1,), decode="fast")}
TESTS = Path(__file__).parents[2]
MOST_MB = 256
"""The largest picture of the corpus takes some 64 MB while it is decoded; the rest is libraries and content."""


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES) > 100


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("channels", CONTRACTS)
@pytest.mark.filterwarnings("ignore")  # Pillow warns of what is odd
def test_each_is_a_picture_or_rejected_with_its_code(case: Case, channels: str) -> None:
    wanted = CONTRACTS[channels]
    if case.code is None:
        assert prepare(case.build(), wanted).shape == wanted.sample_shape
        assert prepare_rows(case.build(), wanted).shape == (case.pictures, *wanted.sample_shape)
        return
    with pytest.raises(ItemError) as raised:
        prepare_rows(case.build(), wanted)
    assert (raised.value.code, raised.value.can_retry) == (case.code, False)
    if case.found:
        assert f"this is {case.found};" in str(raised.value)


def test_memory_does_not_grow() -> None:
    """All of it, in a process of its own, three times: the last round takes no more than the one before."""
    script = """
import re, warnings
from corpus import CASES
from edge_common.errors import ItemError
from edge_transform.prepare import prepare_rows
from unit.transform.test_transform_corpus import WANTED

warnings.simplefilter("ignore")

def peak():
    for case in CASES:
        content = case.build()
        try:
            prepare_rows(content, WANTED)
        except ItemError:
            pass
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

print(peak(), peak(), peak())
"""
    run = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=True
    )
    _, second, third = map(int, run.stdout.split())
    assert third <= second + 8
    assert third < MOST_MB
