"""The work of the suite in one process."""

import json
from pathlib import Path

from bench.alone import Queue, Store, Worker, work
from bench.laid import lay_out
from bench.networks import tiny
from bench.pictures import glyphs


def test_every_file_has_a_result_on_the_disk(tmp_path: Path) -> None:
    graph, contract = tiny()
    (tmp_path / "model.onnx").write_bytes(graph)
    (tmp_path / "contract.json").write_text(contract.model_dump_json(by_alias=True))
    laid = lay_out(tmp_path / "laid", glyphs(3), 20)
    results = tmp_path / "results.jsonl"
    store = Store(results)
    work(Worker.load(tmp_path, 1), Queue(sorted(laid.folder.iterdir())), store)
    assert len(results.read_text().splitlines()) == 16  # the rest wait for others
    store.close()
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["path"] for line in lines] == [f"{number:06}" for number in range(20)]
    assert lines[0]["label"] == lines[3]["label"]
    assert lines[0]["scores"] != lines[1]["scores"]


def test_nothing_is_kept_where_there_is_no_place(tmp_path: Path) -> None:
    store = Store(None)
    store.add({"path": "a"})
    store.close()
    assert not [*tmp_path.iterdir()]
