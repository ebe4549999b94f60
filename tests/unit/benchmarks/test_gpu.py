"""The GPU's benchmark, on a CPU."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from bench import gpu, networks
from bench.device import Device, nvidia_smi
from bench.engines import Bare, load, samples

from edge_inference.errors import NoGpuError
from edge_inference.runtime import CPU, CUDA


def device(memory: Iterator[int]) -> Device:
    return Device((CPU,), lambda: (97.0, float(next(memory))), seconds=0.05, rounds=2, tuning=0.2)


def test_the_engines_and_a_swap_are_measured(tmp_path: Path) -> None:
    engines, swap = gpu.compare(tmp_path, networks.tiny(), device(count()))
    assert [row["precision"] for row in engines.rows] == ["FP32", "FP16"]
    assert engines.figures["gpu_ratio"] == min(row["ratio"] for row in engines.rows)
    assert engines.figures["gpu_utilisation"] == 97
    assert {row["elsewhere"] for row in engines.rows} == {0}
    assert "refused: NO_GPU" in engines.note
    assert swap.figures == {"vram_growth_mib": 4}
    assert "| precision | provider | batch |" in engines.markdown()


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(networks.tiny()[0])
    return path


def test_all_engines_compute_the_same(graph: Path) -> None:
    contract = networks.tiny()[1]
    model = load(graph.parent, contract, CPU, require_gpu=False)
    rows = samples(contract, 3)
    bare = Bare(graph, CPU)
    bare.resident(rows)()
    assert bare.copying(rows)()[0] == pytest.approx(model.run(rows)["scores"])


def test_nothing_runs_on_a_cpu_without_a_word(graph: Path) -> None:
    with pytest.raises(NoGpuError):
        load(graph.parent, networks.tiny()[1], CUDA, require_gpu=True)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert "there is no GPU" in str(gpu.obstacle(tmp_path, [CUDA, CPU]))
    (tmp_path / "nvidia0").touch()
    assert "has no CUDAExecutionProvider" in str(gpu.obstacle(tmp_path, [CPU]))
    assert gpu.obstacle(tmp_path, [CUDA, CPU]) is None


def test_utilisation_and_memory_are_read_from_nvidia_smi(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho '93, 1432'\n")
    program.chmod(0o755)
    assert nvidia_smi(str(program)) == (93, 1432)
