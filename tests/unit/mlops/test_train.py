"""``edge-mlops train`` on pictures and on tables."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner, Result

from edge_common.contract import ClassificationOutput, Contract
from edge_inference.onnx_session import OnnxSession
from edge_mlops.cli import main
from edge_mlops.dataset import versions
from edge_mlops.training import runs
from edge_mlops.training.recipes import ESTIMATORS
from support.datasets import SMALL, Digits, Store, on_share, picture

TABLE = {"kind": "tabular", "columns": [{"name": "load"}, {"name": "drops"}], "window": 4, "step": 4, "batch": 8}


def train(version: Path, wish: Path, folder: Path, *options: str) -> Result:
    arguments = ["train", str(version), "--input", str(wish), "--folder", str(folder), *options]
    return CliRunner().invoke(main, arguments)


def trained(digits: Digits, folder: Path, *options: str) -> Path:
    if "convolutional" in options:
        pytest.importorskip("torch", reason="needs PyTorch: pip install './mlops[torch]'")
    result = train(digits.version, digits.wish, folder, *options)
    assert result.exit_code == 0, result.output
    return Path(result.output.strip())


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_run_has_a_graph_that_says_what_was_trained(digits: Digits, tmp_path: Path, estimator: str) -> None:
    run = trained(digits, tmp_path, "--estimator", estimator)
    record = runs.read(run)
    assert record.accuracy["test"] > 0.6
    assert record.samples == versions.read(digits.version).labelled
    contract = Contract.model_validate_json((run / "contract.json").read_bytes())
    assert isinstance(contract.output, ClassificationOutput)
    assert contract.output.labels == tuple("0123456789")
    session = OnnxSession(run / "model.onnx", ["CPUExecutionProvider"])
    assert [*session.inputs] == ["image"]
    assert [*session.outputs] == ["probabilities"]
    expected = np.load(run / "expected.npy")
    assert expected.shape == (record.samples["test"], 10)
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)


def test_the_same_ingredients_make_the_same_model_and_are_not_cooked_twice(digits: Digits, tmp_path: Path) -> None:
    options = ("--estimator", "perceptron", "--seed", "7")
    one, other = trained(digits, tmp_path / "a", *options), trained(digits, tmp_path / "b", *options)
    assert one.name == other.name
    for file in ("model.onnx", "contract.json", "expected.npy", "run.json"):
        assert (one / file).read_bytes() == (other / file).read_bytes()
    (one / "run.json").touch()
    before = (one / "model.onnx").stat().st_mtime_ns
    assert trained(digits, tmp_path / "a", *options) == one
    assert (one / "model.onnx").stat().st_mtime_ns == before
    assert trained(digits, tmp_path / "a", "--estimator", "perceptron", "--seed", "8") != one


def test_a_run_says_what_went_in(digits: Digits, tmp_path: Path) -> None:
    went_in = runs.read(trained(digits, tmp_path)).ingredients
    assert (went_in.dataset, went_in.data) == ("pets:1", versions.read(digits.version).digest)
    assert went_in.environment["scikit-learn"]
    assert len(went_in.code) == 64


def test_what_is_an_alert_is_taken_over_from_the_active_model(digits: Digits, tmp_path: Path) -> None:
    output = {"kind": "classification", "labels": ["7", "gone"], "alerts": ["7", "gone"]}
    active = tmp_path / "contract.json"
    active.write_text(json.dumps({"schema": 1, "input": SMALL, "output": output}))
    result = train(digits.version, active, tmp_path / "runs")
    contract = json.loads((Path(result.output.strip()) / "contract.json").read_text())
    assert contract["output"]["alerts"] == ["7"]


def table(rows: list[tuple[float, float]]) -> bytes:
    return ("load,drops\n" + "".join(f"{load:.3f},{drops:.3f}\n" for load, drops in rows)).encode()


@pytest.fixture
def sites(tmp_path: Path) -> tuple[Store, Path]:
    """Tables of four windows, of which every other one has a fault, but for the last, of which nothing is said."""
    store = Store(tmp_path)
    rng = np.random.default_rng(1)
    items, lines = [], ["path,sample,label\n"]
    for number in range(40):
        faults = [(number + window) % 2 for window in range(4)]
        rows = [(rng.random(), rng.random() + 3 * fault) for fault in faults for _ in range(4)]
        items.append(on_share(store.share, f"site-{number}", table(rows)))
        lines += [f"{items[-1].path},{at},{'fault' if fault else 'fine'}\n" for at, fault in enumerate(faults[:3])]
    items.append(on_share(store.share, "no", picture(1)))
    lines.append(f"{items[-1].path},0,fault\n")
    store.fill(items)
    wish = tmp_path / "input.json"
    wish.write_text(json.dumps(TABLE))
    return store, store.labels("".join(lines))


def test_samples_of_tables_are_told_apart(sites: tuple[Store, Path], tmp_path: Path) -> None:
    store, labels = sites
    version = store.frozen("--labels", labels)
    result = train(version, tmp_path / "input.json", tmp_path / "runs")
    assert result.exit_code == 0, result.output
    record = runs.read(Path(result.output.strip()))
    assert sum(record.samples.values()) == 40 * 3
    assert record.unprepared == {"UNSUPPORTED": 1}
    assert record.accuracy["test"] == 1


def test_a_label_of_a_sample_that_is_not_there_is_told(sites: tuple[Store, Path], tmp_path: Path) -> None:
    store, labels = sites
    labels.write_text(labels.read_text() + "in/site-0.png,9,fine\n")
    result = train(store.frozen("--labels", labels), tmp_path / "input.json", tmp_path / "runs")
    assert result.exit_code == 1
    assert "sample 9 of in/site-0.png, which has 4 samples" in result.output
    assert [*(tmp_path / "runs").glob("*")] == []


def test_one_label_is_nothing_to_train_on(digits: Digits, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.cloud.symlink_to(digits.store.cloud)
    labels = store.labels("path,label\nin/line-0/0.png,zero\n")
    result = train(store.frozen("--labels", labels), digits.wish, tmp_path / "runs")
    assert (result.exit_code, "samples of two labels" in result.output) == (1, True)


def test_the_store_may_have_moved(digits: Digits, tmp_path: Path) -> None:
    nowhere = str(tmp_path / "nowhere")
    moved = tmp_path / "moved"
    moved.symlink_to(digits.store.cloud)
    assert "is not there" in train(digits.version, digits.wish, tmp_path / "runs", "--store", nowhere).output
    assert train(digits.version, digits.wish, tmp_path / "runs", "--store", str(moved)).exit_code == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "image"}', '{"input": {}, "output": {}}'])
def test_what_is_no_wish_is_refused(digits: Digits, tmp_path: Path, text: str) -> None:
    (tmp_path / "wish.json").write_text(text)
    result = train(digits.version, tmp_path / "wish.json", tmp_path / "runs")
    assert (result.exit_code, "wish.json" in result.output) == (1, True)


def test_what_is_no_version_is_refused(digits: Digits, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = train(tmp_path / "empty", digits.wish, tmp_path / "runs")
    assert (result.exit_code, "no version of a dataset" in result.output) == (1, True)


def test_onnxruntime_runs_the_graph_for_any_batch(digits: Digits, tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(trained(digits, tmp_path) / "model.onnx", providers=["CPUExecutionProvider"])
    for rows in (1, 5):
        (said,) = session.run(None, {"image": np.zeros((rows, 1, 8, 8), np.float32)})
        assert said.shape == (rows, 10)
