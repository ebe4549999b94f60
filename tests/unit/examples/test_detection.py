from typing import Any

import numpy as np
import onnxruntime

from edge_examples.detection.data import Objects, scene
from edge_examples.detection.example import DETECTION
from edge_examples.detection.graphs import CELLS, GRID, detector
from edge_examples.detection.training import finds_all


def test_a_scene_is_the_same_every_time_and_its_shapes_lie_apart_within_it() -> None:
    made = scene(1)
    assert made.objects == scene(1).objects
    assert made.picture.tobytes() == scene(1).picture.tobytes()
    for left, top, right, bottom in made.objects.boxes:
        assert 0 <= left < right <= made.picture.width
        assert 0 <= top < bottom <= made.picture.height


def test_a_shape_is_lighter_than_what_is_around() -> None:
    made = scene(2)
    left, top, right, bottom = made.objects.boxes[0]
    pixels = np.asarray(made.picture, np.float64)
    assert pixels[int((top + bottom) / 2), int((left + right) / 2)] > np.median(pixels) + 30


def test_a_prediction_is_right_only_with_every_shape_and_no_other() -> None:
    truth = Objects(("circle", "square"), ((0.0, 0.0, 10.0, 10.0), (20.0, 20.0, 30.0, 30.0)))
    found: dict[str, list[Any]] = {"labels": ["square", "circle"], "boxes": [[20.0, 21, 30, 30], [0, 0, 9, 10]]}
    assert finds_all(found, truth)
    assert not finds_all({"labels": ["circle"], "boxes": [[0.0, 0, 10, 10]]}, truth)
    assert not finds_all(found | {"labels": ["circle", "square"]}, truth)
    assert not finds_all({"labels": [*found["labels"], "circle"], "boxes": [*found["boxes"], [50, 50, 60, 60]]}, truth)


def test_the_graph_runs_the_perceptrons_over_all_cells() -> None:
    rng = np.random.default_rng(1)
    side, hidden, patch = 24, 5, 10
    layers = [(rng.normal(size=(patch * patch, hidden)), rng.normal(size=hidden))]
    what = [*layers, (rng.normal(size=(hidden, 3)), rng.normal(size=3))]
    where = [*layers, (rng.normal(size=(hidden, 4)), rng.normal(size=4))]
    image = rng.random((1, 1, side, side), dtype=np.float32)
    around = np.pad(image[0, 0], 4)[6:16, 12:22].ravel()  # of the cell in row 3, column 6
    number = 3 * GRID + 6
    values = np.maximum(around @ layers[0][0] + layers[0][1], 0)
    odds = np.exp(values @ what[1][0] + what[1][1])
    place = (values @ where[1][0] + where[1][1]) / GRID + [*CELLS[number], 0, 0]
    session = onnxruntime.InferenceSession(detector(side, what, where), providers=["CPUExecutionProvider"])
    given = session.run(None, {"image": image})[0][0, :, number]
    np.testing.assert_allclose(given, [*place, *(odds / odds.sum())[1:]], rtol=1e-4, atol=1e-5)


def test_files_come_in_every_kind() -> None:
    drops = DETECTION.drops(20)
    assert {drop.path.rpartition(".")[2] for drop in drops if drop.truth} == {"png", "jpg", "bmp"}
    assert [drop.code for drop in drops if not drop.truth].count(None) == 0
