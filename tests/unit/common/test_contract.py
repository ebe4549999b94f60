import pytest
from pydantic import ValidationError

from edge_common.contract import AudioInput, ClassificationOutput, Contract, ImageInput
from edge_common.messages import ContractMessage

GRAY = {"name": "image", "width": 8, "height": 6, "channels": "L", "mean": [0], "scale": [1]}


def test_the_sample_shape_is_channels_height_width() -> None:
    assert ImageInput.model_validate(GRAY).sample_shape == (1, 6, 8)


def test_the_stamp_is_known_and_independent_of_how_the_contract_was_written() -> None:
    spelled_out = ImageInput.model_validate(
        GRAY | {"kind": "image", "batch": 16, "resize": "stretch", "decode": "exact"}
    )
    reordered = ImageInput.model_validate(dict(reversed(GRAY.items())))
    assert spelled_out.stamp == reordered.stamp == ImageInput.model_validate(GRAY).stamp
    assert spelled_out.stamp == "ef48086fdb65b40d75c4edfc4f0ea85b7652f4eff94f967b00c22e45f55e25ba"


@pytest.mark.parametrize(
    "change", [{"width": 9}, {"resize": "crop"}, {"decode": "fast"}, {"mean": [1]}, {"scale": [2]}, {"name": "x"}]
)
def test_whatever_changes_the_input_changes_the_stamp(change: dict[str, object]) -> None:
    assert ImageInput.model_validate(GRAY | change).stamp != ImageInput.model_validate(GRAY).stamp


def test_pixels_that_stay_as_they_are_are_said_and_only_then() -> None:
    pixels, floats = ImageInput.model_validate(GRAY | {"dtype": "uint8"}), ImageInput.model_validate(GRAY)
    assert (pixels.sample_dtype, floats.sample_dtype) == ("uint8", "float32")
    assert pixels.stamp != floats.stamp
    assert pixels.model_dump()["dtype"] == "uint8"
    assert "dtype" not in floats.model_dump()
    assert ImageInput.model_validate_json(pixels.model_dump_json(by_alias=True)) == pixels


@pytest.mark.parametrize("change", [{"mean": [1]}, {"scale": [2]}])
def test_pixels_that_are_calculated_with_do_not_stay_as_they_are(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="mean of 0 and a scale of 1"):
        ImageInput.model_validate(GRAY | {"dtype": "uint8"} | change)


@pytest.mark.parametrize("change", [{"channels": "RGB"}, {"width": 0}, {"mean": []}, {"unknown": 1}, {"kind": "sound"}])
def test_a_contract_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ImageInput.model_validate(GRAY | change)


def test_both_halves_are_read_from_json() -> None:
    contract = Contract.model_validate(
        {"schema": 1, "input": GRAY, "output": {"kind": "classification", "labels": ["a", "b"], "topK": 1}}
    )
    assert contract.output == ClassificationOutput(labels=("a", "b"), top_k=1)
    assert Contract.model_validate_json(contract.model_dump_json(by_alias=True)) == contract


def test_the_first_contracts_named_no_kinds() -> None:
    assert Contract.model_validate({"schema": 1, "input": GRAY, "output": {"labels": ["a"]}}).output.kind == (
        "classification"
    )


TABLE = {"kind": "tabular", "columns": [{"name": "load", "fill": 0}, {"name": "state", "categories": ["a", "b"]}]}
TENSOR = {"kind": "tensor", "shape": [4, 8]}
AUDIO = {"kind": "audio", "rate": 8000, "frame": 400, "step": 160}
LABELS = {"kind": "classification", "labels": ["a", "b"]}


@pytest.mark.parametrize(
    ("half", "shape"),
    [
        (GRAY, (1, 6, 8)),
        (GRAY | {"kind": "image"}, (1, 6, 8)),
        (TABLE, (2,)),
        (TABLE | {"window": 24, "step": 12}, (24, 2)),
        (TENSOR, (4, 8)),
        (AUDIO, (400,)),
    ],
)
def test_every_kind_of_input_is_read_and_announced(half: dict[str, object], shape: tuple[int, ...]) -> None:
    wanted = Contract.model_validate({"schema": 1, "input": half, "output": LABELS}).input
    assert wanted.sample_shape == shape
    assert ContractMessage.decode(ContractMessage(stamp=wanted.stamp, input=wanted).encode()).input == wanted


@pytest.mark.parametrize(
    "half",
    [
        {"kind": "sound"},
        TENSOR | {"shape": []},
        AUDIO | {"rate": 0},
        AUDIO | {"step": 401},
        TENSOR | {"shape": [0]},
        TABLE | {"columns": []},
        TABLE | {"columns": [{"name": "load"}, {"name": "load"}]},
        TABLE | {"window": 2, "step": 3},
        TABLE | {"delimiter": ",,"},
        TABLE | {"delimiter": "\n"},
        [],
    ],
)
def test_a_half_that_makes_no_sense_is_refused(half: object) -> None:
    with pytest.raises(ValidationError):
        Contract.model_validate({"schema": 1, "input": half, "output": LABELS})


def test_sounds_of_two_rates_may_be_cut_alike() -> None:
    slow, fast = (AudioInput(kind="audio", rate=rate, frame=rate // 2, step=rate // 4) for rate in (8000, 16000))
    assert slow.cut == fast.cut
    assert slow.cut != AudioInput(kind="audio", rate=8000, frame=4000, step=4000).cut
