"""``edge-mlops evaluate``: measures, slices, the gate, and the verdict on a run."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result

from edge_inference.layout import pack
from edge_mlops.cli import main
from edge_mlops.dataset import selection, versions
from edge_mlops.errors import InputError
from edge_mlops.evaluation import verdict
from edge_mlops.evaluation.gate import Gate, read_gate
from edge_mlops.evaluation.measures import quality
from edge_mlops.evaluation.slices import Slice, slices
from support.datasets import SMALL, Digits, Store

LENIENT = '{"maxLatencyRatio": 1000}'  # how long things take here says nothing


def test_quality_is_what_its_definitions_say() -> None:
    truth = np.array(["a", "a", "a", "b", "b"])
    said = np.array(["a", "a", "b", "b", "c"])
    scores = np.array([0.95, 0.91, 0.55, 0.52, 1.0])
    found = quality(truth, said, scores)
    assert found.accuracy == 0.6
    assert found.precisions == {"a": 1.0, "b": 0.5}
    assert found.precision == 0.75
    assert found.recalls == {"a": pytest.approx(2 / 3), "b": 0.5}
    assert (found.labels, found.confusion) == (["a", "b", "c"], [[2, 1, 0], [0, 1, 1], [0, 0, 0]])
    low, high = found.reliability
    assert [low.count, low.accuracy, low.score] == pytest.approx([2, 0.5, 0.535])
    assert [high.count, high.accuracy, high.score] == pytest.approx([3, 2 / 3, 2.86 / 3])
    assert found.calibration == pytest.approx((2 * 0.035 + 3 * (2.86 / 3 - 2 / 3)) / 5)


def test_a_label_that_is_never_said_has_no_precision() -> None:
    assert quality(np.array(["a", "b"]), np.array(["b", "b"]), np.array([1.0, 1.0])).precisions == {"a": 0, "b": 0.5}


def items(paths: Sequence[str]) -> list[selection.Item]:
    return [selection.Item("", "edge", "2026-01-01", "", path, "", 0, "test") for path in paths]


def found(right: Sequence[int], active: Sequence[int] | None) -> dict[str, Slice]:
    """By name; the first half is of label a in folder x, the second of label b in no folder."""
    half = len(right) // 2
    every = items(["x/y/1"] * half + ["2"] * half)
    flags = None if active is None else np.array(active, np.bool_)
    return {one.name: one for one in slices(every, ["a"] * half + ["b"] * half, np.array(right, np.bool_), flags)}


def test_slices_are_by_label_device_and_folder() -> None:
    parts = found([1, 0, 1, 1], None)
    assert {name: (one.count, one.accuracy) for name, one in parts.items()} == {
        "all": (4, 0.75), "label a": (2, 0.5), "label b": (2, 1), "device edge": (4, 0.75), "folder": (2, 1),
        "folder x": (2, 0.5),
    }  # fmt: skip
    assert not any(one.worse for one in parts.values())


def test_a_slice_is_worse_only_beyond_chance() -> None:
    """Of seven coins, all fall on one side with a probability of 1 in 128; of six, with 1 in 64."""
    seven, six = [0] * 7 + [1] * 13, [0] * 6 + [1] * 14
    assert found(seven + [1] * 20, [1] * 40)["label a"].worse
    assert not found(six + [1] * 20, [1] * 40)["label a"].worse
    assert not found([1] * 40, [0] * 40)["all"].worse


def test_what_is_lost_on_one_slice_is_not_made_good_on_another() -> None:
    parts = found([0] * 10 + [1] * 10, [1] * 10 + [0] * 10)
    assert parts["label a"].worse
    assert not parts["all"].worse
    assert Gate().refusals(1.0, [*parts.values()], 1.0) == [
        "on slice 'label a' its accuracy is 0.0000, the active model's 1.0000",
        "on slice 'folder x' its accuracy is 0.0000, the active model's 1.0000",
    ]
    assert Gate(no_worse_slices=False).refusals(1.0, [*parts.values()], 1.0) == []


@pytest.mark.parametrize(
    ("precision", "ratio", "reasons"),
    [(0.9, 2.0, 0), (0.9, None, 0), (0.89, 2.0, 1), (0.9, 2.01, 1), (0.0, 99.0, 2)],
)
def test_the_gate_counts_precision_and_latency(precision: float, ratio: float | None, reasons: int) -> None:
    assert len(Gate(precision=0.9, max_latency_ratio=2).refusals(precision, [], ratio)) == reasons


@pytest.mark.parametrize("text", ["", "{", '{"precison": 1}', '{"precision": 2}', '{"maxLatencyRatio": 0}'])
def test_what_is_no_gate_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.json").write_text(text)
    with pytest.raises(InputError, match=r"gate\.json"):
        read_gate(tmp_path / "gate.json")


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def trained(version: Path, wish: Path, folder: Path) -> Path:
    result = command("train", version, "--input", wish, "--folder", folder)
    assert result.exit_code == 0, result.output
    return Path(result.output.strip())


@pytest.fixture(scope="module")
def good(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(digits.version, digits.wish, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def mistaken(digits: Digits, tmp_path_factory: pytest.TempPathFactory, good: Path) -> Path:
    """The same run with a graph that learnt wrong labels."""
    root = tmp_path_factory.mktemp("mistaken")
    store = Store(root)
    store.cloud.symlink_to(digits.store.cloud)
    every = [item for split in ("train", "test") for item in versions.items(digits.version, split)]
    lines = [f"{item.path},{(int(item.label or 0) + 1) % 10}\n" for item in every]
    wrong = trained(store.frozen("--labels", store.labels("path,label\n" + "".join(lines))), digits.wish, root / "runs")
    copy = Path(shutil.copytree(good, root / "copy"))
    shutil.copy(wrong / "model.onnx", copy)
    return copy


@pytest.fixture
def run(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "run"))


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    (tmp_path / "gate.json").write_text(LENIENT)
    return tmp_path / "gate.json"


def packed(run: Path, folder: Path) -> Path:
    """A layout with the run's model as ``digits:1``."""
    package = folder / "package"
    package.mkdir()
    for name in ("model.onnx", "contract.json"):
        shutil.copy(run / name, package)
    pack(package, folder / "layout", "digits", "1")
    return folder / "layout"


def test_a_first_model_is_measured_alone(run: Path) -> None:
    result = command("evaluate", run)
    assert (result.exit_code, result.output.strip()) == (0, str(run))
    found = verdict.read(run)
    assert (found.active, found.reference, found.refusals) == (None, None, [])
    trained = json.loads((run / "run.json").read_text())["accuracy"]["test"]
    assert found.candidate.quality.accuracy == pytest.approx(trained, abs=1e-4)
    assert found.candidate.bytes == (run / "model.onnx").stat().st_size
    assert "It passes" in (run / "evaluation.html").read_text()


def test_a_model_that_is_not_good_enough_is_refused(run: Path, gate: Path) -> None:
    gate.write_text('{"precision": 1}')
    result = command("evaluate", run, "--gate", gate)
    assert (result.exit_code, "its precision is" in result.output) == (1, True)
    assert "It does not pass" in (run / "evaluation.html").read_text()
    assert len(verdict.read(run).refusals) == 1


def test_a_model_that_gives_no_numbers_for_some_samples_is_refused(run: Path) -> None:
    """Zeros, which every model is tried with when it is loaded, it takes well."""
    model = onnx.load(run / "model.onnx")
    (said,) = {name for node in model.graph.node for name in node.output} & {one.name for one in model.graph.output}
    for node in model.graph.node:
        node.output[:] = ["numbers" if name == said else name for name in node.output]
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(1e38, np.float32), "big"))
    model.graph.node.extend(
        onnx.helper.make_node(operator, inputs, [output], **attributes)
        for operator, inputs, output, attributes in (
            ("ReduceL1", [model.graph.input[0].name], "size", {"keepdims": 0}),
            ("Mul", ["size", "big"], "large", {}),
            ("Mul", ["large", "big"], "infinite", {}),
            ("Sub", ["infinite", "infinite"], "none", {}),
            ("Add", ["numbers", "none"], said, {}),
        )
    )
    onnx.save(model, run / "model.onnx")
    result = command("evaluate", run)
    assert (result.exit_code, "it gives NaN or infinity" in result.output) == (1, True), result.output


def test_a_worse_model_is_refused_and_a_better_one_passes(
    run: Path, mistaken: Path, gate: Path, tmp_path: Path
) -> None:
    refused = command("evaluate", mistaken, "--gate", gate, "--active", packed(run, tmp_path), "digits:1")
    assert refused.exit_code == 1
    assert "on slice 'all'" in refused.output
    (tmp_path / "other").mkdir()
    passed = command("evaluate", run, "--gate", gate, "--active", packed(mistaken, tmp_path / "other"), "digits:1")
    assert passed.exit_code == 0, passed.output
    found = verdict.read(run)
    assert found.active
    assert found.candidate.quality.accuracy > found.active.quality.accuracy
    assert found.reference == "digits:1"


def test_the_active_model_may_take_another_input(run: Path, digits: Digits, gate: Path, tmp_path: Path) -> None:
    wish = tmp_path / "larger.json"
    wish.write_text(json.dumps({**SMALL, "width": 12, "height": 12}))
    larger = trained(digits.version, wish, tmp_path / "runs")
    result = command("evaluate", run, "--gate", gate, "--active", packed(larger, tmp_path), "digits:1")
    assert verdict.read(run).active, result.output


def test_an_active_model_that_cuts_files_otherwise_is_no_measure(run: Path, tmp_path: Path, digits: Digits) -> None:
    table = {"kind": "tensor", "name": "image", "shape": [1, 8, 8]}
    contract = json.loads((run / "contract.json").read_text())
    other = Path(shutil.copytree(run, tmp_path / "other"))
    (other / "contract.json").write_text(json.dumps({**contract, "input": table}))
    result = command("evaluate", run, "--active", packed(other, tmp_path), "digits:1", "--store", digits.store.cloud)
    assert (result.exit_code, "the same samples" in result.output) == (1, True)


def test_a_layout_whose_bytes_are_spoilt_is_told(run: Path, tmp_path: Path) -> None:
    layout = packed(run, tmp_path)
    graph = max(layout.glob("blobs/sha256/*"), key=lambda blob: blob.stat().st_size)
    graph.write_bytes(graph.read_bytes()[:-1] + b"x")
    result = command("evaluate", run, "--active", layout, "digits:1")
    assert (result.exit_code, "has other bytes" in result.output) == (1, True)


def test_what_is_not_in_the_layout_is_told(run: Path, tmp_path: Path) -> None:
    result = command("evaluate", run, "--active", packed(run, tmp_path), "digits:9")
    assert (result.exit_code, "has no digits:9" in result.output) == (1, True)
