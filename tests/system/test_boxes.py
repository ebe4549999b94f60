"""A detector through the whole suite: boxes in the cloud share are in the pixels of the files, whatever their size."""

from io import BytesIO
from pathlib import Path

import pyarrow.dataset as ds
import pytest
from PIL import Image

from edge_examples.packages import publish
from edge_examples.suite import Folders, running
from support.detectors import detector, scene_graph

pytestmark = pytest.mark.system

SIZES = {"wide.png": (400, 200), "high.jpg": (60, 120), "small.bmp": (4, 4)}


def picture(size: tuple[int, int], name: str) -> bytes:
    file = BytesIO()
    Image.new("L", size, 100).save(file, {"png": "PNG", "jpg": "JPEG", "bmp": "BMP"}[name.rpartition(".")[2]])
    return file.getvalue()


async def test_boxes_are_stored_in_the_pixels_of_their_files(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "run", tmp_path / "models")
    made_by = detector(alerts=("bar",))
    graph = scene_graph().SerializeToString()
    ref = publish(graph, made_by, folders.models, folders.trust, "scene", "1")
    async with running(folders) as suite:
        await suite.swap({"schema": 1, "name": "scene", "version": "1", "ref": ref, "requestId": "1"})
        for name, size in SIZES.items():
            (folders.share / name).write_bytes(picture(size, name))
        await suite.until_settled(len(SIZES))
    rows = ds.dataset(sorted(folders.cloud.rglob("*.parquet")), format="parquet").to_table().to_pylist()
    assert {row["path"]: row["boxes"] for row in rows} == {
        name: [[width / 4, height / 4, 3 * width / 4, 3 * height / 4]] for name, (width, height) in SIZES.items()
    }
    assert {(row["label"], row["score"], row["alert"]) for row in rows} == {("bar", 0.9, True)}
