from collections.abc import Callable

import numpy as np
import onnxruntime
import pyarrow as pa
import pytest

from edge_common.contract import Column
from edge_examples.drops import Manner
from edge_examples.telecom import drops, files, training
from edge_examples.telecom.data import ROWS_A_DAY, STEP, WINDOW, site
from edge_transform.prepare import prepare_rows


def test_a_site_is_the_same_every_time_and_unlike_others() -> None:
    assert site(1, days=1).table.equals(site(1, days=1).table)
    assert not site(1, days=1).table.equals(site(2, days=1).table)


def test_a_window_with_a_fault_in_it_is_anomalous() -> None:
    made = site(3, days=1, faults=1)
    truth = made.truth()
    assert len(truth) == (ROWS_A_DAY - WINDOW) // STEP + 1
    for number, fault in enumerate(truth):
        assert made.faulty[number * STEP : number * STEP + WINDOW].any() == fault
    assert any(truth)
    assert not any(site(3, days=1).truth())


def test_files_come_in_every_kind_and_length_with_a_truth_a_window() -> None:
    made = drops.good(40)
    assert {drop.path.rpartition(".")[2] for drop in made} == {"csv", "jsonl", "parquet"}
    assert {drop.manner for drop in made} == {Manner.WRITTEN, Manner.RENAMED, Manner.SLOW}
    assert {len(drop.truth) for drop in made} == {11, 83, 359}


def test_the_graph_computes_what_its_weights_say() -> None:
    rng = np.random.default_rng(1)
    mean, scale = rng.normal(size=6), rng.uniform(0.5, 2, size=6)
    components = np.linalg.qr(rng.normal(size=(6, 2)))[0]
    windows = rng.normal(size=(5, 3, 2)).astype(np.float32)
    standard = (windows.reshape(5, 6) - mean) / scale
    left = np.square(standard - standard @ components @ components.T).mean(axis=1)
    graph = training.graph((3, 2), mean, scale, components)
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"window": windows})[0][:, 0], left, rtol=1e-5)


def test_the_second_version_is_better_than_the_first_and_takes_more() -> None:
    first, second = training.train()
    assert 0.8 < first.accuracy < second.accuracy
    assert second.accuracy > 0.98
    assert first.contract.input.stamp != second.contract.input.stamp


@pytest.mark.parametrize("write", [files.csv, files.json_lines, files.parquet])
def test_every_kind_of_file_gives_the_same_windows(write: Callable[[pa.Table], bytes]) -> None:
    table = site(5, days=1).table
    wanted = training.windows([Column(name=name) for name in training.FIGURES])
    expected = np.stack([table[name].to_numpy() for name in training.FIGURES], axis=1).astype(np.float32)
    windows = prepare_rows(write(table), wanted)
    np.testing.assert_array_equal(windows[1], expected[STEP : STEP + WINDOW])
