from typing import Literal

import numpy as np
import pytest

from edge_common.contract import (
    AudioInput,
    ClassificationOutput,
    Column,
    Contract,
    ImageInput,
    Quantity,
    RegressionOutput,
    TabularInput,
    TensorInput,
)
from edge_inference.drift.features import Features


def features(width: int = 4, height: int = 2, channels: Literal["L", "RGB"] = "L") -> Features:
    depth = len(channels)
    taken = ImageInput(width=width, height=height, channels=channels, mean=(0.0,) * depth, scale=(1.0,) * depth)
    return Features(Contract(input=taken, output=ClassificationOutput(labels=("cat", "dog", "eel"))))


def row(label: str, score: float) -> dict[str, object]:
    return {"label": label, "score": score}


def test_light_contrast_sharpness_class_and_score_by_hand() -> None:
    samples = np.array([[[[0, 2, 0, 2], [4, 4, 4, 4]]]], np.float32)
    under = features()
    assert under.names == ("mean_L", "std_L", "sharpness", "label", "score")
    expected = [2.5, np.sqrt((4 * 1.5**2 + 2 * 2.5**2 + 2 * 0.5**2) / 8), (2 + 2 + 2 + 0 + 0 + 0) / 6, 1, 0.75]
    np.testing.assert_allclose(under.of(samples, [row("dog", 0.75)]), [expected], rtol=1e-6)


def test_pixels_as_they_are_look_as_their_floats_do() -> None:
    samples = np.random.default_rng(1).integers(0, 256, (3, 1, 64, 64), np.uint8)
    under, rows = features(64, 64), [row("cat", 1)] * 3
    np.testing.assert_allclose(under.of(samples, rows), under.of(samples.astype(np.float32), rows), rtol=1e-6)


def test_each_channel_has_its_own_light_and_contrast() -> None:
    samples = np.stack([np.full((2, 4), value, np.float32) for value in (1, 2, 3)])[None]
    under = features(channels="RGB")
    assert under.names[:7] == ("mean_R", "mean_G", "mean_B", "std_R", "std_G", "std_B", "sharpness")
    np.testing.assert_array_equal(under.of(samples, [row("cat", 1)]), [[1, 2, 3, 0, 0, 0, 0, 0, 1]])


def test_the_rows_that_have_predictions_are_chosen() -> None:
    samples = np.arange(5, dtype=np.float32)[:, None, None, None] * np.ones((5, 1, 2, 4), np.float32)
    found = features().of(samples, [row("cat", 0.5), row("eel", 0.25)], np.array([4, 1]))
    np.testing.assert_array_equal(found[:, [0, 3, 4]], [[4, 0, 0.5], [1, 2, 0.25]])


@pytest.mark.parametrize(("width", "height"), [(1, 1), (1, 500), (500, 1), (33, 32), (224, 224), (4000, 3000)])
def test_pictures_of_any_size_have_features(width: int, height: int) -> None:
    samples = np.full((1, 1, height, width), 3.0, np.float32)
    under = features(width, height)
    np.testing.assert_allclose(under.of(samples, [row("cat", 1)])[0, :3], [3, 0, 0], atol=1e-5)


def test_a_darker_picture_and_a_blurred_one_differ_where_they_should() -> None:
    rng = np.random.default_rng(1)
    sharp = rng.random((1, 1, 64, 64), np.float32)
    blurred = (sharp + np.roll(sharp, 1, 3) + np.roll(sharp, 2, 3)) / 3
    under = features(64, 64)
    plain, dark, soft = (under.of(each, [row("cat", 1)])[0] for each in (sharp, sharp * 0.5, blurred))
    assert dark[0] == pytest.approx(plain[0] / 2)
    assert soft[0] == pytest.approx(plain[0], rel=0.05)
    assert soft[2] < 0.6 * plain[2]


LABELS = ClassificationOutput(name="scores", labels=("calm", "busy"))
ROW = [{"label": "busy", "score": 0.75}]


def test_of_a_window_of_a_table_each_column_counts_with_its_mean() -> None:
    wanted = TabularInput(kind="tabular", name="x", columns=(Column(name="load"), Column(name="drops")), window=2)
    features = Features(Contract(input=wanted, output=LABELS))
    assert features.names == ("load", "drops", "label", "score")
    np.testing.assert_allclose(features.of(np.array([[[1.0, 10], [3, 30]]]), ROW), [[2, 20, 1, 0.75]])


def test_of_a_tensor_mean_and_spread_count() -> None:
    features = Features(Contract(input=TensorInput(kind="tensor", name="x", shape=(2, 2)), output=LABELS))
    assert features.names == ("mean", "std", "label", "score")
    np.testing.assert_allclose(features.of(np.array([[[0.0, 2], [0, 2]]]), ROW), [[1, 1, 1, 0.75]])


def test_a_feature_of_the_output_that_the_input_has_too_is_told_apart() -> None:
    wanted = TabularInput(kind="tabular", name="x", columns=(Column(name="load"), Column(name="label")))
    load = RegressionOutput(kind="regression", quantities=(Quantity(name="load", tolerance=1),))
    features = Features(Contract(input=wanted, output=load))
    assert (features.names, features.classes) == (("load", "label", "prediction_load"), {})
    np.testing.assert_allclose(features.of(np.array([[1.0, 2.0]]), [{"load": 3.0}]), [[1.0, 2.0, 3.0]])
    assert Features(Contract(input=wanted, output=LABELS)).classes == {"prediction_label": 2}


def test_of_a_sound_loudness_and_pitch_count() -> None:
    wanted = AudioInput(kind="audio", name="x", rate=8000, frame=4, step=4)
    features = Features(Contract(input=wanted, output=LABELS))
    assert features.names == ("level", "crossings", "label", "score")
    np.testing.assert_allclose(features.of(np.array([[3.0, -1, 1, -1]]), ROW), [[3**0.5, 0.75, 1, 0.75]])
