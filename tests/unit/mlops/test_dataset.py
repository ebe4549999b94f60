"""``edge-mlops dataset`` on a store that upload has filled."""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from azure.storage.blob import ContainerClient
from click.testing import CliRunner

from edge_common.messages import Item
from edge_mlops.cli import main
from edge_mlops.dataset import labels, versions
from edge_mlops.dataset.split import SHARES, split_of
from edge_mlops.errors import DatasetError, LabelsError
from support.azurite import Azurite
from support.datasets import DEVICE, SMALL, Store, on_share, picture


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sequence[Item]]:
    """A store of six pictures, of which two are the same and one is quarantined."""
    store = Store(tmp_path_factory.mktemp("pets"))
    greys = {"a": 10, "b": 20, "c": 30, "copy": 10, "bad": 50, "late": 60}
    days = {"copy": date(2026, 1, 2), "late": date(2026, 1, 3)}
    items = [
        on_share(store.share, name, picture(grey), days.get(name, date(2026, 1, 1))) for name, grey in greys.items()
    ]
    store.fill(items, quarantined=[items[4]])
    return store.cloud, items


@pytest.fixture
def filled(pets: tuple[Path, Sequence[Item]], store: Store) -> Store:
    shutil.copytree(pets[0], store.cloud)
    return store


def rows(version: Path) -> dict[str, dict[str, Any]]:
    """The manifest, by path."""
    return {row["path"]: row for row in pq.read_table(version / "manifest.parquet").to_pylist()}


def test_a_version_names_each_content_once_with_its_hash_and_holds_no_copy(filled: Store) -> None:
    version = filled.frozen()
    found = rows(version)
    assert {*found} == {"in/a.png", "in/b.png", "in/c.png", "in/late.png"}  # the older one of two that are the same
    for row in found.values():
        content = (filled.cloud / row["name"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == row["sha256"]
        assert (len(content), row["device"]) == (row["bytes"], DEVICE)
        assert row["name"].startswith(f"raw/device=edge%207/date={row['date']}/{row['id']}")
    about = versions.read(version)
    assert (about.name, about.version, sum(about.items.values())) == ("pets", 1, 4)
    assert about.left_out == {
        "missing": 0, "quarantined": 1, "duplicates": 1, "contradictory_labels": 0, "labels_of_nothing": 0
    }  # fmt: skip
    assert sorted(path.name for path in version.iterdir()) == [
        "MLTable", "dataset.json", "manifest.parquet", "profile.html", "profile.json"
    ]  # fmt: skip
    assert not any(path.stat().st_mode & 0o222 for path in version.iterdir())


def test_what_has_not_changed_makes_no_version(filled: Store) -> None:
    assert filled.frozen() == filled.frozen()
    labelled = filled.frozen("--labels", filled.labels("path,label\nin/a.png,cat\n"))
    assert labelled.name == "2"
    assert [path.name for path in sorted(labelled.parent.iterdir())] == ["1", "2"]


def test_what_comes_later_moves_no_item(store: Store) -> None:
    first = [on_share(store.share, f"p{number}", picture(number)) for number in range(20)]
    store.fill(first)
    before = rows(store.frozen())
    store.fill([on_share(store.share, f"q{number}", picture(100 + number), date(2025, 1, 1)) for number in range(20)])
    after = rows(store.frozen())
    assert len(after) == 40
    assert {path: after[path] for path in before} == before


def test_about_as_many_as_should_be_are_in_each_split() -> None:
    splits = [split_of(hashlib.sha256(str(number).encode()).hexdigest()) for number in range(5000)]
    for split, share in SHARES.items():
        assert splits.count(split) / len(splits) == pytest.approx(share, abs=0.02)


def test_labels_come_by_path_by_id_and_by_the_name_in_the_store(
    filled: Store, pets: tuple[Path, Sequence[Item]]
) -> None:
    _, b, c, copy, *_ = pets[1]
    text = f"path,label\nin/late.png,dog\n{b.id},cat\nraw/device=x/date=2026-01-01/{c.id}.png,cat\n{copy.id},bird\n"
    version = filled.frozen("--labels", filled.labels(text))
    found = {path: row["label"] for path, row in rows(version).items()}
    assert found == {"in/a.png": "bird", "in/b.png": "cat", "in/c.png": "cat", "in/late.png": "dog"}
    assert versions.read(version).classes == {"bird": 1, "cat": 2, "dog": 1}
    assert sum(versions.read(version).labelled.values()) == 4


def test_labels_that_contradict_each_other_count_for_nothing(filled: Store) -> None:
    text = "path,label\nin/a.png,cat\nin/copy.png,dog\nin/b.png,cat\nin/nowhere.png,cat\n"
    version = filled.frozen("--labels", filled.labels(text))
    assert [row["path"] for row in rows(version).values() if row["label"]] == ["in/b.png"]
    left = versions.read(version).left_out
    assert (left["contradictory_labels"], left["labels_of_nothing"]) == (1, 1)


def test_a_path_that_had_several_contents_is_labelled_by_none(store: Store) -> None:
    old = on_share(store.share, "same", picture(1))
    store.fill([old])
    new = on_share(store.share, "same", picture(2)).model_copy(update={"id": "f" * 32, "generation": 1})
    store.fill([new])
    version = store.frozen("--labels", store.labels(f"path,label\n{old.path},cat\n"))
    assert [row["label"] for row in pq.read_table(version / "manifest.parquet").to_pylist()] == [None, None]
    assert versions.read(version).left_out["labels_of_nothing"] == 1
    version = store.frozen("--labels", store.labels(f"id,label\n{new.id},cat\n"))
    assert versions.read(version).classes == {"cat": 1}


def test_samples_of_a_file_have_labels_of_their_own(filled: Store) -> None:
    text = "path,sample,label\nin/a.png,0,cat\nin/a.png,2,dog\nin/b.png,,cat\nin/c.png,0,cat\nin/c.png,,cat\n"
    found = rows(filled.frozen("--labels", filled.labels(text)))
    assert (found["in/a.png"]["label"], found["in/a.png"]["labels"]) == (None, ["cat", None, "dog"])
    assert (found["in/b.png"]["label"], found["in/b.png"]["labels"]) == ("cat", None)
    assert (found["in/c.png"]["label"], found["in/c.png"]["labels"]) == (None, None)  # said of both


def coco(file: Path, annotations: Sequence[tuple[int, int]]) -> Path:
    names = ["AmlDatastore://lake/raw/device=x/date=2026-01-01/" + "0" * 32 + ".png", "in/b.png", "in/c.png"]
    document = {
        "images": [{"id": number, "file_name": name, "width": 16} for number, name in enumerate(names)],
        "annotations": [
            {"id": number, "image_id": image, "category_id": category, "bbox": [0, 0, 1, 1]}
            for number, (image, category) in enumerate(annotations)
        ],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }
    file.write_text(json.dumps(document))
    return file


def test_coco_says_the_category_of_a_picture_whose_annotations_agree(tmp_path: Path) -> None:
    file = coco(tmp_path / "coco.json", [(0, 1), (0, 1), (1, 2), (2, 1), (2, 2)])
    said = [label[:3] for label in labels.read(file)]
    assert said == [("0" * 32, None, "cat"), ("in/b.png", None, "dog"), ("in/c.png", None, None)]


def test_boxes_of_coco_stand_in_a_column_of_their_own(filled: Store, tmp_path: Path) -> None:
    file = coco(tmp_path / "coco.json", [(1, 2), (2, 2), (2, 1)])
    document = json.loads(file.read_text())
    document["annotations"][1]["bbox"] = [1, 2.5, 3, 4]
    del document["annotations"][2]["bbox"]
    file.write_text(json.dumps(document))
    version = filled.frozen("--labels", file)
    found = rows(version)
    box = {"label": "dog", "x": 0, "y": 0, "width": 1, "height": 1}
    assert (found["in/b.png"]["label"], found["in/b.png"]["boxes"]) == ("dog", [box])
    other = {"label": "dog", "x": 1, "y": 2.5, "width": 3, "height": 4}
    assert (found["in/c.png"]["label"], found["in/c.png"]["boxes"]) == (None, [other])
    assert found["in/a.png"]["boxes"] is None
    assert versions.read(version).classes == {"dog": 2}
    items = {item.path: item for item in versions.items(version, *SHARES)}
    assert items["in/c.png"].boxes == (labels.Box("dog", 1, 2.5, 3, 4),)
    assert filled.frozen("--labels", file) == version  # nothing has changed
    document["annotations"][1]["bbox"] = [1, 2.5, 3, 5]
    file.write_text(json.dumps(document))
    assert filled.frozen("--labels", file) != version


def test_a_manifest_from_before_there_were_boxes_is_read(filled: Store) -> None:
    version = filled.frozen("--labels", filled.labels("path,label\nin/a.png,cat\n"))
    before = [*versions.items(version, *SHARES)]
    manifest = version / "manifest.parquet"
    manifest.chmod(0o644)
    pq.write_table(pq.read_table(manifest).drop_columns(["boxes"]), manifest)
    assert [*versions.items(version, *SHARES)] == before


COCO = (
    '{"images": [], "annotations": [{"image_id": 1, "category_id": 1, "bbox": %s}], '
    '"categories": [{"id": 1, "name": "cat"}]}'
)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", ""),
        ("x.csv", "label\ncat\n"),
        ("x.csv", "path,label,sample\na,cat,-1\n"),
        ("x.csv", "path,label,sample\na,cat,first\n"),
        ("x.csv", "label,path\ncat,a\ndog"),  # somebody is writing it
        ("x.json", "{}"),
        ("x.json", "["),
        ("x.json", COCO % "[0, 0, 1]"),
        ("x.json", COCO % "[0, 0, -1, 1]"),
        ("x.json", json.dumps({"images": [], "annotations": [{"image_id": 1, "category_id": 9}], "categories": []})),
    ],
)
def test_what_is_no_file_of_labels_is_refused(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelsError, match=name):
        list(labels.read(tmp_path / name))


def test_the_profile_says_how_samples_look_and_how_far_they_are_from_before(store: Store) -> None:
    wanted = store.root / "input.json"
    wanted.write_text(json.dumps(SMALL))
    store.fill([on_share(store.share, f"p{number}", picture(number)) for number in range(40)])
    first = json.loads((store.frozen("--input", wanted) / "profile.json").read_text())
    assert (first["features"]["mean_L"]["low"], first["features"]["mean_L"]["high"]) == (0, pytest.approx(39 / 255))
    assert first["features"]["mean_L"]["psi"] is None
    store.fill([on_share(store.share, f"q{number}", picture(200 + number % 50)) for number in range(40)])
    store.fill([on_share(store.share, "no", b"no picture")])
    version = store.frozen("--input", wanted)
    second = json.loads((version / "profile.json").read_text())
    assert second["features"]["mean_L"]["psi"] > 0.25
    assert second["unprepared"] == {"UNSUPPORTED": 1}
    assert sum(map(sum, (split.values() for split in second["days"].values()))) == 81


def test_the_page_shows_whatever_a_label_is_as_text(filled: Store) -> None:
    version = filled.frozen(
        "--labels", filled.labels("path,label\nin/a.png,<script>alert(1)</script>\nin/b.png,$x_{\n")
    )
    page = (version / "profile.html").read_text()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "$x_{" in page
    assert page.count("<svg") == 3


def test_a_file_that_the_store_has_lost_is_left_out(filled: Store) -> None:
    next(filled.cloud.glob("raw/*/date=2026-01-03/*")).unlink()
    version = filled.frozen()
    assert "in/late.png" not in rows(version)
    assert versions.read(version).left_out["missing"] == 1


def test_a_ledger_that_cannot_be_read_whole_makes_no_dataset(filled: Store) -> None:
    next(filled.cloud.glob("_ledger/*/*/*")).write_bytes(b"torn")
    result = filled.freeze()
    assert result.exit_code == 1
    assert "cannot be read" in result.output
    assert [*(filled.root / "sets").glob("*/*")] == []


def test_a_store_without_originals_is_refused(store: Store) -> None:
    store.cloud.mkdir()
    assert "there is no ledger" in store.freeze().output
    bad = on_share(store.share, "bad", picture(1))
    store.fill([bad], quarantined=[bad])
    assert "there are no originals" in store.freeze().output


def test_an_original_with_other_bytes_is_told(filled: Store) -> None:
    wanted = filled.root / "input.json"
    wanted.write_text(json.dumps(SMALL))
    victim = next(filled.cloud.glob("raw/*/date=2026-01-03/*"))
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    result = filled.freeze("--input", wanted)
    assert (result.exit_code, "has other bytes" in result.output) == (1, True)


def test_a_version_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "pets" / "1").mkdir(parents=True)
    (tmp_path / "pets" / "1" / "dataset.json").write_text("{}")
    empty: dict[str, int] = {}
    about = versions.Dataset.model_validate(
        {"name": "pets", "version": 1, "digest": "", "store": "", "created": "2026-01-01T00:00:00Z", "items": empty,
         "labelled": empty, "classes": empty, "left_out": empty}
    )  # fmt: skip
    with versions.draft(tmp_path, "pets") as made, pytest.raises(DatasetError, match="freeze again"):
        versions.publish(made, about)
    assert [path.name for path in (tmp_path / "pets").iterdir()] == ["1"]
    with pytest.raises(DatasetError, match="no name"), versions.draft(tmp_path, "../pets"):
        pass


def test_a_container_gives_the_same_dataset_as_a_share(filled: Store, azurite_server: Azurite) -> None:
    container = azurite_server.make_container()
    with ContainerClient.from_connection_string(azurite_server.connection_string(), container) as client:
        for file in filter(Path.is_file, filled.cloud.rglob("*")):
            client.upload_blob(file.relative_to(filled.cloud).as_posix(), file.read_bytes())
    secret = filled.root / "credentials"
    secret.write_text(azurite_server.sas(container, "rl"))
    share = filled.frozen()
    url = f"{azurite_server.endpoint}/{container}"
    result = filled.freeze(store=url, BLOB_CREDENTIALS=str(secret))
    assert result.exit_code == 0, result.output
    assert Path(result.output.strip()) == share  # nothing has changed


def test_where_the_store_is_may_stand_in_the_environment(filled: Store) -> None:
    arguments = ["dataset", "pets", "--folder", str(filled.root / "sets")]
    result = CliRunner(env={**os.environ, "EDGE_STORE": str(filled.cloud)}).invoke(main, arguments)
    assert result.exit_code == 0, result.output
