"""``edge-mlops package`` and ``publish``: from a run that passed to what devices take."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from edge_inference.cli import main as model_main
from edge_inference.layout import entries
from edge_inference.model import verify
from edge_mlops.cli import main
from edge_mlops.errors import RunError
from edge_mlops.packages import loaded, unpack
from edge_mlops.packaging.numbering import next_version
from support.datasets import Digits
from support.registry import RegistryServer
from support.signers import LEAF, ROOT

FILES = {
    "model.onnx", "contract.json", "golden.json", "golden-input.npy", "golden-output.npy", "drift.json",
    "lineage.json", "card.md",
}  # fmt: skip


def command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def done(*arguments: str | Path) -> str:
    result = command(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """How long things take here says nothing, and of which two runs is better nothing is asked."""
    file = tmp_path_factory.mktemp("gate") / "gate.json"
    file.write_text('{"maxLatencyRatio": 1000, "noWorseSlices": false}')
    return file


@pytest.fixture(scope="module")
def passed(digits: Digits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = done("train", digits.version, "--input", digits.wish, "--folder", tmp_path_factory.mktemp("runs"))
    return Path(done("evaluate", run))


@pytest.fixture
def run(passed: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(passed, tmp_path / "run"))


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    return tmp_path / "layout"


def test_a_package_has_all_that_a_device_and_a_reader_want(run: Path, layout: Path, tmp_path: Path) -> None:
    reference = done("package", run, "pets", "--layout", layout)
    assert [(entry.tag, f"oci:layout@{entry.digest}") for entry in entries(layout)] == [("pets:1", reference)]
    folder = tmp_path / "unpacked"
    folder.mkdir()
    unpack(layout, "pets:1", folder)
    assert {path.name for path in folder.iterdir()} == FILES
    assert loaded(folder).reference  # of drift
    assert verify(folder).output.kind == "classification"
    assert np.load(folder / "golden-input.npy").shape[1:] == (1, 8, 8)
    lineage = json.loads((folder / "lineage.json").read_text())
    assert lineage["ingredients"]["dataset"] == "pets:1"
    card = (folder / "card.md").read_text()
    assert card.startswith("# pets, version 1\n")
    assert lineage["ingredients"]["data"] in card


def test_the_same_model_is_packed_once_and_the_next_gets_the_next_number(
    run: Path, layout: Path, digits: Digits, gate: Path, tmp_path: Path
) -> None:
    first = done("package", run, "pets", "--layout", layout)
    done("evaluate", run, "--active", layout, "pets:1", "--gate", gate)
    assert done("package", run, "pets", "--layout", layout) == first
    options = ("--input", digits.wish, "--folder", tmp_path / "runs", "--estimator", "perceptron")
    other = done("train", digits.version, *options)
    assert "has not been evaluated" in command("package", other, "pets", "--layout", layout).output
    done("evaluate", other)
    assert "was not held against any" in command("package", other, "pets", "--layout", layout).output
    done("evaluate", other, "--active", layout, "pets:1", "--gate", gate)
    assert done("package", other, "pets", "--layout", layout) != first
    done("package", run, "cats", "--layout", layout)
    assert [entry.tag for entry in entries(layout)] == ["pets:1", "pets:2", "cats:1"]


def test_what_was_refused_is_not_packed(run: Path, layout: Path, tmp_path: Path) -> None:
    strict = tmp_path / "gate.json"
    strict.write_text('{"precision": 1}')
    assert command("evaluate", run, "--gate", strict).exit_code == 1
    result = command("package", run, "pets", "--layout", layout)
    assert (result.exit_code, "it does not pass: its precision is" in result.output) == (1, True)
    assert not layout.exists()


def test_a_graph_that_says_otherwise_than_was_trained_is_not_packed(run: Path, layout: Path) -> None:
    expected = np.load(run / "expected.npy")
    expected[0, 0] += 0.01
    np.save(run / "expected.npy", expected)
    result = command("package", run, "pets", "--layout", layout)
    assert (result.exit_code, "up to 0.01 from the trained" in result.output) == (1, True)
    np.save(run / "expected.npy", expected[1:])
    assert "probabilities, and gave" in command("package", run, "pets", "--layout", layout).output
    assert not layout.exists()


@pytest.mark.parametrize(
    ("there", "then"), [([], "1"), (["1"], "2"), (["1", "10", "9"], "11"), (["2.1.0", "2.0.0"], "3"), (["1-rc"], "2")]
)
def test_versions_are_numbered(there: list[str], then: str) -> None:
    assert next_version(there) == then


def test_a_version_without_a_number_has_no_next() -> None:
    with pytest.raises(RunError, match="'first'"):
        next_version(["first"])


def signer(folder: Path) -> list[str | Path]:
    key, chain = LEAF.write(folder)
    return ["--key", key, "--chain", chain]


def test_what_is_published_is_signed_as_devices_want_it_and_only_once(run: Path, layout: Path, tmp_path: Path) -> None:
    reference = done("package", run, "pets", "--layout", layout)
    for _ in range(2):
        assert done("publish", layout, "pets:1", *signer(tmp_path / "signer")) == reference
        assert len(json.loads((layout / "index.json").read_text())["manifests"]) == 2  # itself and a signature
    roots = ROOT.pin(tmp_path / "roots")
    verified = CliRunner().invoke(model_main, ["verify", str(layout), "pets:1", "--roots", str(roots)])
    assert verified.exit_code == 0, verified.output


def test_what_is_published_to_a_registry_is_there_with_its_signature(
    run: Path, layout: Path, tmp_path: Path, registry_server: RegistryServer
) -> None:
    digest = done("package", run, "pets", "--layout", layout).partition("@")[2]
    target = f"{registry_server.host}/published/pets"
    options = ("--plain-http", *signer(tmp_path / "signer"))
    assert done("publish", layout, "pets:1", f"{target}:1", *options) == f"{target}@{digest}"
    roots = str(ROOT.pin(tmp_path / "roots"))
    arguments = ["verify", "--plain-http", f"{target}@{digest}", "--roots", roots]
    verified = CliRunner().invoke(model_main, arguments)
    assert verified.exit_code == 0, verified.output


def test_what_is_not_there_is_not_published(run: Path, layout: Path, tmp_path: Path) -> None:
    done("package", run, "pets", "--layout", layout)
    result = command("publish", layout, "pets:2", *signer(tmp_path / "signer"))
    assert (result.exit_code, "has no pets:2" in result.output) == (1, True)
