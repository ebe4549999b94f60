"""Originals on their way to the store, through the whole suite."""

from pathlib import Path

import pytest

from edge_examples.suite import Suite
from edge_examples.verdict import collect
from support.suite import Plant, kill
from support.upload import far_window, raw, stored

pytestmark = pytest.mark.system


async def until_predicted(suite: Suite, plant: Plant, count: int) -> None:
    while len(collect(plant.folders.share, plant.folders.cloud, 0).records) < count:
        await suite.pause()


async def test_an_item_is_uploaded_once_its_original_is_in_the_store_too(tmp_path: Path) -> None:
    plant = Plant.build(tmp_path, 40)
    share, cloud = plant.folders.share, plant.folders.cloud
    async with plant.running() as suite:
        await suite.edit_twin("upload", {"originals": "all", "uploadWindows": [far_window()]})
        await suite.edit_twin("upload", {"shardSeconds": 1})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        await until_predicted(suite, plant, len(plant.drops))
        assert (await suite.ledger()).get("uploaded", 0) == 0
        assert raw(cloud) == {}

        await kill(suite, "upload")
        await suite.edit_twin("upload", {"uploadWindows": None})
        counts = await suite.until_settled(len(plant.drops))
        samples = (await suite.reported("upload", "spool"))["samples"]
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    assert samples["givenUp"] == 0
    paths = {row["id"]: row["path"] for row in collect(share, cloud, 0).records}
    assert raw(cloud) == {item: (share / path).read_bytes() for item, path in paths.items()}


async def test_what_the_model_is_unsure_of_is_sampled(tmp_path: Path) -> None:
    plant = Plant.build(tmp_path, 60)
    cloud = plant.folders.cloud
    policy = {"originals": "sampled", "features": "sampled", "sampleFraction": 0, "sampleConfidence": [0, 0.9]}
    async with plant.running() as suite:
        await suite.edit_twin("upload", {**policy, "shardSeconds": 1})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops)
        counts = await suite.until_settled(len(plant.drops))
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    unsure = {row["id"] for row in stored(cloud / "records") if row["score"] < 0.9}
    assert 0 < len(unsure) < len(plant.drops)
    assert {row["id"] for row in stored(cloud / "records") if row["sampled"] == ["confidence"]} == unsure
    assert {row["id"] for row in stored(cloud / "features")} == unsure
    assert raw(cloud).keys() == unsure
