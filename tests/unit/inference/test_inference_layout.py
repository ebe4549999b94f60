import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_inference.cli import main
from edge_inference.errors import (
    ContractMismatchError,
    LoadFailedError,
    ModelError,
    NotFoundError,
    UnsafeModelError,
)
from edge_inference.layout import Entry, entries, inspect, pack
from support.models import contract, graph, write_model


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_packing_twice_gives_the_same_layout(package: Path, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    reference = pack(package, one, "digits", "1")
    assert reference.startswith("oci:one@sha256:")
    assert pack(package, other, "digits", "1").partition("@")[2] == reference.partition("@")[2]
    pack(package, one, "digits", "1")
    assert tree(one) == tree(other)


def test_a_layout_is_what_the_specification_says(package: Path, tmp_path: Path) -> None:
    reference = pack(package, tmp_path / "layout", "digits", "1")
    digest = reference.partition("@")[2]
    assert json.loads((tmp_path / "layout/oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((tmp_path / "layout/index.json").read_bytes())
    [entry] = index["manifests"]
    assert index["schemaVersion"] == 2
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "digits:1"}
    assert entry["digest"] == digest
    assert entry["size"] == (tmp_path / "layout/blobs/sha256" / digest.removeprefix("sha256:")).stat().st_size


def test_what_is_in_a_layout_stays(package: Path, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    first = pack(package, layout, "digits", "1").partition("@")[2]
    second = pack(package, layout, "digits", "2").partition("@")[2]
    assert entries(layout) == [Entry("digits:1", first), Entry("digits:2", second)]


def test_a_tag_moves_and_the_digest_stays(package: Path, tmp_path: Path) -> None:
    layout = tmp_path / "layout"
    before = pack(package, layout, "digits", "1").partition("@")[2]
    (package / "labels.txt").write_text("other")
    after = pack(package, layout, "digits", "1").partition("@")[2]
    assert entries(layout) == [Entry("", before), Entry("digits:1", after)]
    assert inspect(layout, before)[1].layers != inspect(layout, "digits:1")[1].layers


def spoil_graph(package: Path) -> None:
    (package / "model.onnx").write_bytes(b"no graph")


def spoil_contract(package: Path) -> None:
    (package / "contract.json").write_text("{}")


def empty_graph(package: Path) -> None:
    (package / "model.onnx").write_bytes(b"")


def other_input(package: Path) -> None:
    write_model(package, contract(), graph(input_name="picture"))


def other_size(package: Path) -> None:
    write_model(package, contract(side=5), graph(side=4))


def fixed_batch(package: Path) -> None:
    write_model(package, contract(), graph(rows=4))


def other_labels(package: Path) -> None:
    write_model(package, contract(), graph(classes=3))


def other_output(package: Path) -> None:
    write_model(package, contract(name="probabilities"))


def foreign_operator(package: Path) -> None:
    write_model(package, contract(), graph(domain="com.example"))


def no_graph(package: Path) -> None:
    (package / "model.onnx").unlink()


def linked(package: Path) -> None:
    (package / "more").symlink_to(package / "model.onnx")


def hard_linked(package: Path) -> None:
    os.link(package / "model.onnx", package / "more")


def pipe(package: Path) -> None:
    os.mkfifo(package / "more")


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (spoil_graph, LoadFailedError),
        (empty_graph, LoadFailedError),
        (foreign_operator, UnsafeModelError),
        (spoil_contract, ContractMismatchError),
        (other_input, ContractMismatchError),
        (other_size, ContractMismatchError),
        (fixed_batch, ContractMismatchError),
        (other_labels, ContractMismatchError),
        (other_output, ContractMismatchError),
        (no_graph, UnsafeModelError),
        (linked, UnsafeModelError),
        (hard_linked, UnsafeModelError),
        (pipe, UnsafeModelError),
    ],
)
def test_what_no_device_would_take_is_not_packed(
    package: Path, tmp_path: Path, spoil: "object", error: type[ModelError]
) -> None:
    assert callable(spoil)
    spoil(package)
    with pytest.raises(error):
        pack(package, tmp_path / "layout", "digits", "1")
    assert not (tmp_path / "layout").exists()


def test_a_graph_of_batch_one_is_taken(package: Path, tmp_path: Path) -> None:
    write_model(package, contract(), graph(rows=1))
    assert pack(package, tmp_path / "layout", "digits", "1")


def test_what_is_not_there_is_not_found(package: Path, tmp_path: Path) -> None:
    pack(package, tmp_path / "layout", "digits", "1")
    with pytest.raises(NotFoundError):
        inspect(tmp_path / "layout", "digits:2")
    with pytest.raises(NotFoundError):
        entries(tmp_path / "elsewhere")


def test_the_command_line_packs_and_inspects(package: Path, tmp_path: Path) -> None:
    layout = str(tmp_path / "layout")
    packed = CliRunner().invoke(main, ["pack", str(package), "--name", "digits", "--version", "1", "--layout", layout])
    assert packed.exit_code == 0
    digest = packed.output.strip().partition("@")[2]
    assert CliRunner().invoke(main, ["inspect", layout]).output == f"digits:1  {digest}\n"
    shown = CliRunner().invoke(main, ["inspect", layout, "digits:1"]).output
    assert all(name in shown for name in ("model.onnx", "contract.json", "labels.txt"))


def test_the_command_line_says_what_is_wrong(package: Path, tmp_path: Path) -> None:
    layout = str(tmp_path / "layout")
    no_name = ["pack", str(package), "--name", "a/b", "--version", "1", "--layout", layout]
    (tmp_path / "empty").mkdir()
    for arguments in (no_name, ["inspect", str(tmp_path / "empty")], ["inspect", str(package), "digits:1"]):
        refused = CliRunner().invoke(main, arguments)
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: ")
