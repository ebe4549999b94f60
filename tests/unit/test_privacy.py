"""onnxruntime sends what it does to its maker, unless it is told not to (its Privacy.md), and keeps an identity."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.models import graph

DIRECT = "import onnxruntime; onnxruntime.InferenceSession(PATH)"
MODULE = "from pathlib import Path; from edge_inference.onnx_session import OnnxSession; OnnxSession(Path(PATH), [])"
EXAMPLE = f"import edge_examples; {DIRECT}"
MLOPS = f"import edge_mlops; {DIRECT}"


def kept(folder: Path, code: str) -> list[Path]:
    """What stands in the home folder of whoever loads a graph with the code."""
    model, home = folder / "model.onnx", folder / "home"
    model.write_bytes(graph().SerializeToString())
    home.mkdir()
    subprocess.run(
        [sys.executable, "-c", code.replace("PATH", repr(str(model)))],
        env={"HOME": str(home), "PATH": os.environ["PATH"]},
        check=True,
    )
    return list(home.iterdir())


@pytest.mark.parametrize("code", [MODULE, EXAMPLE, MLOPS], ids=["module", "example", "mlops"])
def test_onnxruntime_keeps_what_it_does_to_itself(tmp_path: Path, code: str) -> None:
    assert not kept(tmp_path, code)


def test_otherwise_it_would_not(tmp_path: Path) -> None:
    assert kept(tmp_path, DIRECT)
