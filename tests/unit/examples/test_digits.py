import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from edge_examples import pictures
from edge_examples.digits import data, drops, graphs, training
from edge_examples.drops import Drop, Manner, deliver


def test_the_split_holds_digits_out_and_is_the_same_every_time() -> None:
    (train, held), (again, _) = data.load(), data.load()
    assert (len(train.labels), len(held.labels)) == (1078, 719)
    np.testing.assert_array_equal(train.images, again.images)


def test_a_bomb_is_small_on_disk_and_huge_by_its_header() -> None:
    content = pictures.bomb(2000)
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == (2000, 2000)
        assert picture.convert("L").getextrema() == (0, 0)
    assert len(content) < 2000


def test_files_come_in_every_kind_and_manner() -> None:
    files = drops.good(data.load()[1], 60)
    assert {file.path.rpartition(".")[2] for file in files} == {"png", "jpg", "bmp"}
    assert {file.manner for file in files} == {Manner.WRITTEN, Manner.RENAMED, Manner.SLOW}
    assert len({file.path for file in files}) == len(files)


@pytest.mark.parametrize("manner", [Manner.WRITTEN, Manner.RENAMED, Manner.SLOW])
def test_a_drop_arrives_whole(manner: Manner, tmp_path: Path) -> None:
    deliver(Drop("a/b.bin", bytes(range(251)), manner), tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "a/b.bin"]
    assert (tmp_path / "a/b.bin").read_bytes() == bytes(range(251))


def test_the_perceptrons_graph_computes_what_its_weights_say() -> None:
    rng = np.random.default_rng(1)
    layers = [(rng.normal(size=(4, 3)), rng.normal(size=3)), (rng.normal(size=(3, 10)), rng.normal(size=10))]
    images = rng.random((5, 1, 2, 2), dtype=np.float32)
    hidden = np.maximum(images.reshape(5, 4) @ layers[0][0] + layers[0][1], 0)
    logits = hidden @ layers[1][0] + layers[1][1]
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    session = onnxruntime.InferenceSession(graphs.perceptron(2, layers), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"image": images})[0], expected, rtol=1e-5)


def test_both_versions_are_good_and_differ_in_contract() -> None:
    first, second = training.train(*data.load())
    assert first.accuracy > 0.9
    assert second.accuracy > 0.95
    assert first.contract.input.stamp != second.contract.input.stamp
