"""What the benchmark is fed with."""

from io import BytesIO
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from bench import networks
from bench.laid import lay_out
from bench.pictures import glyphs, photographs
from PIL import Image

from edge_common.contract import Contract
from edge_inference.outputs import interpreter


@pytest.mark.parametrize(
    "model",
    [*map(networks.network, ("shufflenet", "squeezenet", "resnet50")), networks.tiny(), networks.averages()],
    ids=["shufflenet", "squeezenet", "resnet50", "tiny", "averages"],
)
def test_a_network_takes_batches_of_any_size_and_says_something_of_each(model: tuple[bytes, Contract]) -> None:
    graph, contract = model
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    reader = interpreter(contract)
    samples = np.random.default_rng(1).random((3, *contract.input.sample_shape), np.float32)
    (together,) = session.run(reader.names, {contract.input.name: samples})
    (first,) = session.run(reader.names, {contract.input.name: samples[:1]})
    np.testing.assert_allclose(together[:1], first, rtol=1e-4, atol=1e-6)
    assert together.std() > 0.001
    assert len(reader.interpret({reader.names[0]: together}, [None] * 3)) == 3


def test_weights_are_those_of_their_seed() -> None:
    assert networks.network("squeezenet", 1) == networks.network("squeezenet", 1)
    assert networks.network("squeezenet", 1) != networks.network("squeezenet", 2)


def test_pictures_are_those_of_their_seed_and_as_large_as_a_cameras() -> None:
    first, second = photographs(640, 480, 2)
    assert first != second
    assert photographs(640, 480, 2) == [first, second]
    assert Image.open(BytesIO(first)).size == (640, 480)
    assert 50_000 < len(first) < 100_000
    assert Image.open(BytesIO(glyphs(1)[0])).size == (28, 28)


def test_the_same_contents_are_laid_out_over_and_over(tmp_path: Path) -> None:
    laid = lay_out(tmp_path / "laid", [b"a", b"b"], 5)
    assert [path.read_bytes() for path in sorted(laid.folder.iterdir())] == [b"a", b"b", b"a", b"b", b"a"]
    (tmp_path / "share").mkdir()
    laid.move(tmp_path / "share")
    assert len([*(tmp_path / "share/laid").iterdir()]) == laid.files == 5
