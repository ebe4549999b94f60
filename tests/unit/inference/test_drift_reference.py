import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edge_common.contract import ClassificationOutput, Contract
from edge_inference.cli import main
from edge_inference.drift.histograms import Bins, kolmogorov_smirnov, population_stability
from edge_inference.drift.reference import Histogram, Reference, read_reference, reference
from edge_inference.errors import ContractMismatchError, ModelError, UnsafeModelError
from edge_inference.layout import pack
from edge_inference.session import Array
from support.models import contract

V1 = contract("v1")
SCORES = contract("v1", activation="softmax")


def samples(values: Array) -> Array:
    return np.asarray(values[:, None, None, None] * np.ones((1, *V1.input.sample_shape)), np.float32)


def made(values: Array, under: Contract = SCORES, bins: int = 10) -> Reference:
    return reference(under, [(samples(values), np.stack([-values, values], axis=1))], bins)


def mean(values: Array, bins: int = 10) -> Histogram:
    return made(values, bins=bins).features["mean_L"]


def moved(histogram: Histogram, values: Array) -> float:
    """How far other values are from those of the histogram."""
    bins = Bins([histogram.edges])
    live, expected = bins.count(values[:, None].astype(float)), np.array([histogram.counts])
    assert kolmogorov_smirnov(live, expected)[0] <= 1
    return float(population_stability(live, expected, bins.real)[0])


def test_bins_are_equally_full_and_classes_have_one_each() -> None:
    values = np.random.default_rng(1).permutation(np.linspace(-1, 1, 1000))
    found = made(values)
    assert [*found.features] == ["mean_L", "std_L", "sharpness", "label", "score"]
    assert found.features["mean_L"].counts == (100,) * 10
    assert found.features["label"] == Histogram(edges=(0.5,), counts=(500, 500))


def test_many_classes_are_put_together_to_as_many_bins() -> None:
    labels = tuple(map(str, range(100)))
    many = Contract(input=V1.input, output=ClassificationOutput(labels=labels))
    values = np.tile(np.eye(100, dtype=np.float32), (10, 1))
    [histogram] = [reference(many, [(samples(np.zeros(1000)), values)]).features["label"]]
    assert histogram.counts == (100,) * 10


def test_what_comes_in_batches_is_the_same() -> None:
    values = np.linspace(-1, 1, 100)
    pairs = [(samples(part), np.stack([-part, part], axis=1)) for part in np.split(values, 4)]
    assert reference(SCORES, pairs) == made(values)


@pytest.mark.parametrize("value", [0.0, 0.5, -300.0])
def test_a_value_that_never_changed_is_seen_to_change_either_way(value: float) -> None:
    histogram = mean(np.full(100, value))
    assert moved(histogram, np.full(50, np.float32(value) * (1 + 1e-6))) < 0.01  # sums differ in the last digit
    assert moved(histogram, np.full(50, value + 1)) > 1
    assert moved(histogram, np.full(50, value - 1)) > 1


def test_a_value_that_is_often_the_lowest_is_seen_to_sink() -> None:
    histogram = mean(np.array([0.0] * 50 + [*np.linspace(1, 2, 50)]))
    assert moved(histogram, np.full(50, -1.0)) > 1


@given(
    arrays.arrays(np.float32, st.integers(1, 300), elements=st.floats(-1000, 1000, width=32)),
    st.integers(2, 20),
)
def test_whatever_the_data_they_are_not_far_from_their_own_reference(values: Array, bins: int) -> None:
    histogram = mean(values, bins)
    assert len(histogram.counts) <= bins + 1
    assert sum(histogram.counts) == len(values)
    assert Reference.model_validate_json(Reference(features={"mean_L": histogram}).model_dump_json()).features == {
        "mean_L": histogram
    }


def test_no_samples_make_no_reference() -> None:
    with pytest.raises(ValueError, match="made of samples"):
        reference(SCORES, [])


@pytest.mark.parametrize("values", [np.array([np.nan]), np.array([1.0, np.inf])])
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_no_number_makes_no_reference(values: Array) -> None:
    with pytest.raises(ValueError, match="made of samples"):
        made(values)


def test_a_package_without_one_has_none(package: Path) -> None:
    assert read_reference(package, V1) is None


@pytest.mark.parametrize(
    "document",
    [
        "[]",
        "{",
        '{"schema": 2, "features": {"mean_L": {"edges": [], "counts": [1]}}}',
        '{"schema": 1, "features": {}}',
        '{"schema": 1, "features": {"mean_L": {"edges": [1, 1], "counts": [1, 1, 1]}}}',
        '{"schema": 1, "features": {"mean_L": {"edges": [1], "counts": [1]}}}',
        '{"schema": 1, "features": {"mean_L": {"edges": [1], "counts": [0, 0]}}}',
        '{"schema": 1, "features": {"mean_L": {"edges": [1], "counts": [-1, 2]}}}',
        '{"schema": 1, "features": {"mean_L": {"edges": [NaN], "counts": [1, 2]}}}',
        " " * (1 << 20) + '{"schema": 1, "features": {"mean_L": {"edges": [], "counts": [1]}}}',
    ],
)
def test_packing_refuses_what_is_no_reference(package: Path, tmp_path: Path, document: str) -> None:
    (package / "drift.json").write_text(document)
    with pytest.raises(UnsafeModelError, match=r"drift\.json"):
        pack(package, tmp_path / "layout", "teller", "1")
    assert not (tmp_path / "layout").exists()


def test_packing_refuses_features_that_the_contract_does_not_have(package: Path, tmp_path: Path) -> None:
    (package / "drift.json").write_text('{"schema": 1, "features": {"mean_R": {"edges": [], "counts": [1]}}}')
    with pytest.raises(ContractMismatchError, match="'mean_R'"):
        pack(package, tmp_path / "layout", "teller", "1")


def test_the_command_makes_one_that_packs(package: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "samples.npy", samples(np.linspace(0, 1, 50)))
    given = CliRunner().invoke(main, ["reference", str(package), str(tmp_path / "samples.npy"), "--bins", "5"])
    assert given.output == f"{package / 'drift.json'}: mean_L, std_L, sharpness, label, score\n"
    assert json.loads((package / "drift.json").read_text())["features"]["mean_L"]["counts"] == [10] * 5
    layout = tmp_path / "layout"
    pack(package, layout, "teller", "1")
    assert "drift.json" in CliRunner().invoke(main, ["inspect", str(layout), "teller:1"]).output


def test_the_command_refuses_samples_of_another_shape(package: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "samples.npy", np.zeros((5, 1, 9, 9), np.float32))
    given = CliRunner().invoke(main, ["reference", str(package), str(tmp_path / "samples.npy")])
    assert (given.exit_code, "is wanted" in given.output) == (1, True)
    assert not (package / "drift.json").exists()


def test_a_model_error_is_what_a_swap_reports(package: Path) -> None:
    (package / "drift.json").write_text("{}")
    with pytest.raises(ModelError) as error:
        read_reference(package, V1)
    assert error.value.code == "UNSAFE_MODEL"
