"""``edge-mlops package --variants``: the same model in smaller numbers, where they do."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner, Result
from onnx import TensorProto, numpy_helper

from edge_inference.errors import GoldenFailedError
from edge_inference.golden import run_golden
from edge_inference.layout import entries
from edge_mlops.cli import main
from edge_mlops.packages import loaded, unpack
from edge_mlops.packaging.numbering import next_version, versions_of
from support.datasets import Digits

LENIENT = '{"maxLatencyRatio": 1000}'  # how long things take here says nothing


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def trained(digits: Digits, folder: Path, estimator: str) -> Path:
    options = ("--input", digits.wish, "--folder", folder, "--estimator", estimator)
    run = command("train", digits.version, *options).stdout.strip()
    return Path(shutil.copytree(run, folder / estimator))


@pytest.fixture(scope="module")
def perceptron(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(digits, tmp_path_factory.mktemp("runs"), "perceptron")


def packed(run: Path, layout: Path, gate: str = LENIENT, variants: str = "int8,fp16") -> Result:
    file = run / "gate.json"
    file.write_text(gate)
    assert command("evaluate", run, "--gate", file).exit_code == 0
    return command("package", run, "digits", "--layout", layout, "--variants", variants)


def tags(layout: Path) -> Sequence[str]:
    return [entry.tag for entry in entries(layout)]


@pytest.fixture(scope="module")
def layout(perceptron: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    layout = tmp_path_factory.mktemp("packed") / "layout"
    result = packed(perceptron, layout)
    assert result.exit_code == 0, result.output
    assert result.stdout.split() == [f"oci:layout@{entry.digest}" for entry in entries(layout)]
    return layout


def test_variants_that_pass_stand_beside_their_version(layout: Path, perceptron: Path) -> None:
    assert tags(layout) == ["digits:1", "digits:1-int8", "digits:1-fp16"]
    assert next_version(versions_of("digits", layout)) == "2"
    again = command("package", perceptron, "digits", "--layout", layout, "--variants", "fp16,int8")
    assert again.stdout.split() == [f"oci:layout@{entries(layout)[place].digest}" for place in (0, 2, 1)]
    assert len(tags(layout)) == 3


@pytest.mark.parametrize("kind", ["int8", "fp16"])
def test_a_variant_is_a_package_like_any_and_says_what_it_is(
    layout: Path, perceptron: Path, tmp_path: Path, kind: str
) -> None:
    unpack(layout, f"digits:1-{kind}", tmp_path)
    model = loaded(tmp_path)
    assert model.reference  # of drift
    assert (tmp_path / "model.onnx").stat().st_size < 0.8 * (perceptron / "model.onnx").stat().st_size
    run_golden(model, tmp_path, 1)
    variant = json.loads((tmp_path / "lineage.json").read_text())["variant"]
    assert (variant["kind"], variant["of"]) == (kind, entries(layout)[0].digest)
    (example,) = json.loads((tmp_path / "golden.json").read_text())["examples"]
    assert 1e-4 <= example["absolute"] == variant["tolerance"] < 0.1
    card = (tmp_path / "card.md").read_text()
    assert card.startswith(f"# digits, version 1-{kind}\n")
    assert "| digits:1 |" in card


def test_golden_examples_of_a_variant_still_tell_another_model(layout: Path, tmp_path: Path) -> None:
    unpack(layout, "digits:1-fp16", tmp_path)
    model = onnx.load(tmp_path / "model.onnx")
    weights = max(model.graph.initializer, key=lambda one: one.ByteSize())
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights)[::-1].copy(), weights.name))
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(GoldenFailedError):
        run_golden(loaded(tmp_path), tmp_path, 1)


def test_weights_of_int8_have_seven_bits_that_no_processor_overflows_with(layout: Path, tmp_path: Path) -> None:
    unpack(layout, "digits:1-int8", tmp_path)
    model = onnx.load(tmp_path / "model.onnx")
    weights = [numpy_helper.to_array(one) for one in model.graph.initializer if one.data_type == TensorProto.INT8]
    matrices = [one for one in weights if one.ndim == 2]
    assert len(matrices) == 2
    assert max(int(np.abs(one).max()) for one in matrices) <= 64


def test_a_variant_that_the_gate_refuses_is_not_packed(perceptron: Path, tmp_path: Path) -> None:
    result = packed(perceptron, tmp_path / "layout", '{"maxLatencyRatio": 0.000001}', "fp16")
    assert result.exit_code == 0  # the model itself is packed
    assert "not packed: digits:1-fp16: it takes" in result.stderr
    assert tags(tmp_path / "layout") == ["digits:1"]


def test_what_gains_nothing_is_not_packed(digits: Digits, tmp_path: Path) -> None:
    result = packed(trained(digits, tmp_path, "linear"), tmp_path / "layout")
    assert "digits:1-int8: it has none of Conv" in result.stderr
    assert "digits:1-fp16: its graph has" in result.stderr
    assert tags(tmp_path / "layout") == ["digits:1"]


def test_what_is_no_variant_is_refused_before_anything_is_packed(perceptron: Path, tmp_path: Path) -> None:
    result = packed(perceptron, tmp_path / "layout", variants="int4")
    assert (result.exit_code, "int4: variants are int8, fp16" in result.output) == (1, True)
    assert not (tmp_path / "layout").exists()
