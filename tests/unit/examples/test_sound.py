import numpy as np
import onnxruntime
import pytest

from edge_examples.drops import Manner
from edge_examples.graphs import model
from edge_examples.sound import drops, training
from edge_examples.sound.data import SECONDS, recording


def test_a_recording_is_the_same_every_time_and_says_what_sounds_in_it() -> None:
    made = recording(1, 8000, 5)
    np.testing.assert_array_equal(made.wave, recording(1, 8000, 5).wave)
    assert len(made.wave) == 5 * SECONDS * 8000
    assert len(made.labels) == 5
    assert np.abs(made.wave).max() <= 1


def test_files_come_in_every_kind_and_length_with_a_label_a_half_second() -> None:
    made = drops.good(40)
    assert {drop.path.partition(".")[2] for drop in made} == {"wav", "stereo.wav", "flac"}
    assert {drop.manner for drop in made} == {Manner.WRITTEN, Manner.RENAMED, Manner.SLOW}
    assert {len(drop.truth) for drop in made} == set(drops.SOUNDS)


@pytest.mark.parametrize("cycles", [1, 5, 16])
def test_a_tone_shows_at_its_frequency(cycles: int) -> None:
    piece = 32
    nodes, weights = training.spectrum(piece)
    listening = model("spectrum", ("frame", (320,)), ("features", (piece,)), nodes, weights)
    frame = np.cos(2 * np.pi * cycles * np.arange(320) / piece).astype(np.float32)
    session = onnxruntime.InferenceSession(listening, providers=["CPUExecutionProvider"])
    mean = session.run(None, {"frame": frame[None]})[0][0, : piece // 2]
    assert np.argmax(mean) == cycles - 1


def test_the_second_version_hears_what_the_first_cannot() -> None:
    first, second = training.train()
    assert 0.6 < first.accuracy < 0.95 < second.accuracy
    assert first.contract.input.stamp != second.contract.input.stamp
