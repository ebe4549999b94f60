"""``edge-model init``: a contract that the graph fulfils, from the graph and some answers."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from edge_common.contract import Contract, ImageInput, TabularInput
from edge_inference.cli import main
from edge_inference.drafting import draft
from edge_inference.drafting.questions import Answers, likely
from edge_inference.errors import ContractMismatchError
from edge_inference.layout import pack
from edge_inference.session import Port
from support import tables
from support.detectors import scene_graph
from support.models import graph

FLOAT = "tensor(float)"
PICTURE = {"images": Port(FLOAT, ("batch", 3, 64, 96))}
SSD = {
    "boxes": Port(FLOAT, (None, 10, 4)),
    "scores": Port(FLOAT, (None, 10)),
    "kinds": Port("tensor(int64)", (None, 10)),
}


def drafted(inputs: dict[str, Port], outputs: dict[str, Port], **answers: str) -> Contract:
    known = {key.replace("_", ".", 1): value for key, value in answers.items()}
    made = draft(inputs, outputs, Answers(known, likely))
    assert Contract.model_validate_json(made.model_dump_json(by_alias=True, exclude_none=True)) == made
    return made


def test_of_a_picture_the_graph_says_the_size() -> None:
    made = drafted(PICTURE, {"logits": Port(FLOAT, (None, 2))}, output_labels="cat, dog", input_resize="crop")
    assert isinstance(made.input, ImageInput)
    assert (made.input.name, made.input.sample_shape, made.input.resize) == ("images", (3, 64, 96), "crop")
    assert made.output.model_dump(include={"kind", "name", "labels", "activation"}) == {
        "kind": "classification",
        "name": "logits",
        "labels": ("cat", "dog"),
        "activation": "softmax",
    }


def test_a_graph_that_takes_pixels_as_they_are_is_not_asked_what_to_do_with_them() -> None:
    made = drafted(
        {"images": Port("tensor(uint8)", (None, 3, 8, 8))}, {"y": Port(FLOAT, (None, 2))}, output_labels="a, b"
    )
    assert isinstance(made.input, ImageInput)
    assert (made.input.dtype, made.input.mean, made.input.scale) == ("uint8", (0, 0, 0), (1, 1, 1))


def test_of_a_table_the_columns_have_to_be_named() -> None:
    rows = {"x": Port(FLOAT, (None, 24, 2))}
    made = drafted(rows, {"score": Port(FLOAT, (None, 1))}, input_columns="load,drops", output_threshold="0.5")
    assert isinstance(made.input, TabularInput)
    assert (made.input.sample_shape, made.output.kind) == ((24, 2), "anomaly")
    with pytest.raises(ValueError, match="takes 2 columns, not 1"):
        drafted(rows, {"score": Port(FLOAT, (None, 1))}, input_columns="load", output_threshold="0.5")


@pytest.mark.parametrize(
    ("layout", "shape"), [("yolo8", (None, 6, 99)), ("yolo5", (None, 99, 7)), ("yolo10", (None, 300, 6))]
)
def test_every_layout_of_boxes_fits_its_graph(layout: str, shape: tuple[int | None, ...]) -> None:
    made = drafted(PICTURE, {"out": Port(FLOAT, shape)}, output_labels="disc,bar", output_layout=layout)
    assert made.output.kind == "detection"


def test_the_outputs_of_an_ssd_are_found_by_name_or_asked() -> None:
    named = {"output_kind": "detection", "output_labels": "disc", "output_classes": "kinds"}
    made = drafted(PICTURE, SSD, **named)
    assert made.output.kind == "detection"
    assert made.output.classes == made.output.boxes.model_copy(update={"name": "kinds"})


def test_of_segments_the_first_is_likely_the_background() -> None:
    made = drafted(PICTURE, {"out": Port(FLOAT, (None, 2, 64, 96))}, output_labels="ground,crack")
    assert made.output.kind == "segmentation"
    assert made.output.background == ("ground",)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({}, "output.labels is wanted"),
        ({"output_labels": "a", "output_kind": "poem"}, "output.kind must be one of"),
        ({"output_labels": "a,b", "input_mean": "1"}, "mean and scale need 3 values"),
        ({"output_labels": "a,b", "input_kind": "sound"}, "input.kind must be one of"),
        ({"output_kind": "regression", "output_quantities": "a", "output_tolerances": "1,2"}, "1 are wanted, not 2"),
    ],
)
def test_an_answer_that_makes_no_sense_is_refused(answers: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        drafted(PICTURE, {"logits": Port(FLOAT, (None, 2))}, **answers)


def test_answers_that_do_not_fit_the_graph_are_refused() -> None:
    with pytest.raises(ContractMismatchError):
        drafted(PICTURE, {"logits": Port(FLOAT, (None, 2))}, output_labels="cat,dog,eel")


def test_a_graph_takes_one_input() -> None:
    with pytest.raises(ValueError, match="one input"):
        drafted({**PICTURE, "other": PICTURE["images"]}, {"logits": Port(FLOAT, (None, 2))})


def init(folder: Path, model: bytes, *arguments: str, answers: str | None = None) -> Any:
    folder.mkdir(exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    return CliRunner().invoke(main, ["init", str(folder / "model.onnx"), *arguments], input=answers)


def test_what_it_writes_can_be_packed(tmp_path: Path) -> None:
    labels = "output.labels=disc,bar"
    made = init(tmp_path / "a", graph().SerializeToString(), "--yes", "--set", labels)
    assert (made.exit_code, made.output) == (0, f"{tmp_path / 'a' / 'contract.json'}\n")
    init(tmp_path / "b", scene_graph().SerializeToString(), "--yes", "--set", labels, "--set", "output.layout=yolo10")
    init(tmp_path / "c", tables.model(tables.contract()), "--yes", "--set", labels, "--set", "input.columns=load,state")
    for name in "abc":
        assert pack(tmp_path / name, tmp_path / "layout", name, "1").startswith("oci:layout@sha256:")


def test_it_asks_what_it_cannot_know(tmp_path: Path) -> None:
    asked = init(tmp_path / "a", graph().SerializeToString(), answers="\n\n\n\n\ndark,bright\nnone\n")
    assert asked.exit_code == 0
    assert "output.labels: What are the 2 classes called" in asked.output
    written = Contract.model_validate_json((tmp_path / "a" / "contract.json").read_bytes())
    assert written.output.kind == "classification"
    assert (written.output.labels, written.output.activation) == (("dark", "bright"), "none")


def test_a_contract_is_never_overwritten_and_no_answer_goes_unheard(tmp_path: Path) -> None:
    model = graph().SerializeToString()
    unheard = init(tmp_path / "a", model, "--yes", "--set", "output.labels=a,b", "--set", "output.threshold=1")
    assert (unheard.exit_code, "output.threshold" in unheard.output) == (1, True)
    assert "KEY=VALUE" in init(tmp_path / "a", model, "--set", "labels").output
    (tmp_path / "a" / "contract.json").write_text("mine")
    assert "is there already" in init(tmp_path / "a", model, "--yes", "--set", "output.labels=a,b").output
    assert (tmp_path / "a" / "contract.json").read_text() == "mine"
