"""From WAV and FLAC to frames under a contract."""

import tracemalloc
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from edge_common.contract import AudioInput
from edge_common.errors import ItemError
from edge_transform.prepare import prepare_rows
from edge_transform.tables import samples

RATE = 8000
WANTED = AudioInput(kind="audio", rate=RATE, frame=500, step=250, batch=8)


def tone(seconds: float, rate: int, hertz: float = 440) -> npt.NDArray[np.float64]:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)


def recorded(values: npt.NDArray[np.float64], rate: int, kind: str = "WAV", depth: str | None = None) -> bytes:
    file = BytesIO()
    soundfile.write(file, values, rate, format=kind, subtype=depth)
    return file.getvalue()


def code_of(content: bytes, wanted: AudioInput = WANTED) -> str:
    with pytest.raises(ItemError) as raised:
        prepare_rows(content, wanted)
    assert not raised.value.can_retry
    return raised.value.code


WHOLE = recorded(tone(2, RATE), RATE)


@pytest.mark.parametrize(
    ("kind", "depth", "tolerance"),
    [
        ("WAV", "FLOAT", 1e-7),
        ("WAV", "PCM_16", 1e-4),
        ("WAV", "PCM_U8", 1e-2),
        ("RF64", "PCM_24", 1e-6),
        ("FLAC", "PCM_24", 1e-6),
    ],
)
def test_frames_are_the_recorded_values_in_order(kind: str, depth: str, tolerance: float) -> None:
    values = tone(30, RATE)
    frames = prepare_rows(recorded(values, RATE, kind, depth), WANTED)
    expected = np.lib.stride_tricks.sliding_window_view(values, 500)[::250]
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, expected, atol=tolerance)


@pytest.mark.parametrize("rate", [4000, 11025, 16000, 44100, 192_000])
def test_another_rate_is_resampled(rate: int) -> None:
    frames = prepare_rows(recorded(tone(4, rate), rate), WANTED)
    expected = np.lib.stride_tricks.sliding_window_view(tone(4, RATE), 500)[::250]
    assert len(frames) == len(expected)
    np.testing.assert_allclose(frames[2:-2], expected[2:-2], atol=1e-3)


def test_what_the_models_rate_cannot_carry_is_gone_not_folded_back() -> None:
    frames = prepare_rows(recorded(tone(2, 44100, hertz=6000), 44100), WANTED)
    assert np.abs(frames[2:-2]).max() < 1e-3


def test_channels_are_mixed() -> None:
    values = tone(1, RATE)
    both = recorded(np.stack([values, np.zeros_like(values)], axis=1), RATE)
    np.testing.assert_allclose(prepare_rows(both, WANTED), prepare_rows(recorded(values / 2, RATE), WANTED), atol=1e-4)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY"),
        (recorded(tone(0, RATE), RATE), "EMPTY"),
        (recorded(tone(0.01, RATE), RATE), "EMPTY"),
        (b"This is no sound.\n", "UNSUPPORTED"),
        (b"ID3\x04\0\0", "UNSUPPORTED"),
        (recorded(tone(1, 30), 30), "UNSUPPORTED"),
        (WHOLE[: len(WHOLE) // 2], "DECODE_FAILED"),
        (WHOLE[:40], "DECODE_FAILED"),
        (recorded(tone(2, RATE), RATE, "FLAC")[:5000], "DECODE_FAILED"),
        (recorded(tone(2, RATE), RATE, "RF64")[:5000], "DECODE_FAILED"),
        (recorded(np.full(8000, np.nan), RATE, depth="FLOAT"), "MISSING_VALUE"),
    ],
)
def test_what_is_no_whole_sound_is_refused(content: bytes, code: str) -> None:
    assert code_of(content) == code


def test_a_writer_that_did_not_know_the_size_is_forgiven() -> None:
    streamed = WHOLE[:4] + b"\xff" * 4 + WHOLE[8:]
    np.testing.assert_array_equal(prepare_rows(streamed, WANTED), prepare_rows(WHOLE, WANTED))


@pytest.mark.parametrize(("rate", "minutes"), [(48_000, 10), (100, 60)])
def test_memory_does_not_grow_with_the_file(rate: int, minutes: int) -> None:
    content = recorded(np.zeros(60 * minutes * rate), rate)
    tracemalloc.start()
    count = sum(len(block) for block in samples(BytesIO(content), content[:512], WANTED))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == (60 * minutes * RATE - 500) // 250 + 1
    assert peak < 4 << 20
