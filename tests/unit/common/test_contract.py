import pytest
from pydantic import ValidationError

from edge_common.contract import Contract, ImageInput

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


@pytest.mark.parametrize("change", [{"channels": "RGB"}, {"width": 0}, {"mean": []}, {"unknown": 1}, {"kind": "sound"}])
def test_a_contract_that_contradicts_itself_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ImageInput.model_validate(GRAY | change)


def test_both_halves_are_read_from_json() -> None:
    contract = Contract.model_validate(
        {"schema": 1, "input": GRAY, "output": {"kind": "classification", "labels": ["a", "b"], "topK": 1}}
    )
    assert contract.output.labels == ("a", "b")
    assert Contract.model_validate_json(contract.model_dump_json(by_alias=True)) == contract
