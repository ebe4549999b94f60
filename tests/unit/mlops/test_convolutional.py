"""The convolutional estimator, where PyTorch is installed."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from edge_common.contract import ImageInput
from edge_inference.layout import entries
from edge_inference.onnx_session import OnnxSession
from edge_mlops.cli import main
from edge_mlops.errors import DatasetError, ExtraError
from edge_mlops.labelled import Labelled
from edge_mlops.training import runs
from edge_mlops.training.estimators import Trained, fit
from edge_mlops.training.recipes import Recipe
from edge_mlops.wishes import Wish
from support.datasets import Digits

THERE = find_spec("torch") is not None
needs_torch = pytest.mark.skipif(not THERE, reason="needs PyTorch: pip install './mlops[torch]'")
RECIPE = Recipe(estimator="convolutional", seed=3)


def spots(count: int, seed: int, shape: tuple[int, int, int] = (3, 5, 7)) -> Labelled:
    """Noise with a bright spot somewhere, which is wide or high."""
    rng = np.random.default_rng(seed)
    samples = rng.random((count, *shape), np.float32)
    labels = [("high", "wide")[number % 2] for number in range(count)]
    for sample, label in zip(samples, labels, strict=True):
        row, column = rng.integers(1, shape[1] - 1), rng.integers(1, shape[2] - 1)
        height, width = (1, 2) if label == "high" else (2, 1)
        sample[:, row - 2 + height : row + 3 - height, column - 2 + width : column + 3 - width] += 4
    return Labelled(samples, labels, [], Counter())


@pytest.fixture(scope="module")
def network() -> Trained:
    return fit(RECIPE, spots(64, 1), spots(32, 2))


@needs_torch
def test_it_tells_apart_what_is_anywhere_in_a_picture(network: Trained) -> None:
    tests = spots(100, 4)
    said = network.probabilities(tests.samples)
    assert np.mean([network.classes[best] for best in said.argmax(axis=1)] == np.array(tests.labels)) > 0.9
    assert network.probabilities(tests.samples[:0]).shape == (0, 2)


@needs_torch
def test_its_graph_says_the_same_of_any_batch_and_nothing_of_where_it_was_made(
    network: Trained, tmp_path: Path
) -> None:
    shape = {"name": "photo", "width": 7, "height": 5, "channels": "RGB", "mean": [0] * 3, "scale": [1] * 3}
    wanted = ImageInput.model_validate({"kind": "image", **shape})
    graph = network.graph(Wish(input=wanted).contract(network.classes))
    assert b"site-packages" not in graph
    (tmp_path / "model.onnx").write_bytes(graph)
    session = OnnxSession(tmp_path / "model.onnx", ["CPUExecutionProvider"])
    assert [*session.inputs] == ["photo"]
    samples = spots(9, 5).samples
    for block in (samples[:1], samples):
        assert np.allclose(session.run({"photo": block}, ["probabilities"])[0], network.probabilities(block), atol=1e-5)


@needs_torch
def test_the_seed_decides(network: Trained) -> None:
    same, other = (fit(recipe, spots(64, 1), spots(32, 2)) for recipe in (RECIPE, Recipe(estimator="convolutional")))
    samples = spots(9, 5).samples
    assert np.array_equal(same.probabilities(samples), network.probabilities(samples))
    assert not np.array_equal(other.probabilities(samples), network.probabilities(samples))


@needs_torch
def test_what_it_cannot_learn_from_is_refused() -> None:
    rows = Labelled(np.zeros((4, 2), np.float32), ["a", "b"] * 2, [], Counter())
    with pytest.raises(DatasetError, match="takes pictures"):
        fit(RECIPE, rows, rows)
    others = spots(4, 1)._replace(labels=["else"] * 4)
    with pytest.raises(DatasetError, match="validation"):
        fit(RECIPE, spots(4, 1), others)


@needs_torch
def test_its_run_is_judged_and_packed_as_any(digits: Digits, tmp_path: Path) -> None:
    def done(*arguments: str | Path) -> str:
        result = CliRunner().invoke(main, [*map(str, arguments)])
        assert result.exit_code == 0, result.output
        return result.stdout.strip()

    options = ("--input", digits.wish, "--folder", tmp_path, "--estimator", "convolutional")
    run = Path(done("train", digits.version, *options))
    assert runs.read(run).ingredients.environment["torch"]
    done("evaluate", run)
    done("package", run, "digits", "--layout", tmp_path / "layout")
    assert [entry.tag for entry in entries(tmp_path / "layout")] == ["digits:1"]


@pytest.mark.skipif(THERE, reason="PyTorch is installed")
def test_without_pytorch_it_is_said_how_to_have_it() -> None:
    with pytest.raises(ExtraError, match="torch"):
        runs.environment(RECIPE)
