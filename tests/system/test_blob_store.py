"""The whole suite with a blob store in the cloud share's place, which goes away in two ways and comes back."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_examples.suite import TEMPLATE
from support.azurite import Azurite, running_azurite
from support.suite import Plant, until_stored

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

SHARE = re.compile(r'"CLOUD_DIR": \{[^}]*\}')


@pytest.fixture
def azurite(tmp_path: Path) -> Iterator[Azurite]:
    with running_azurite(tmp_path / "azurite") as azurite:
        yield azurite


def with_container(folder: Path, url: str) -> Path:
    """The template with a container as upload's store, opened by a file in the folder that was the share."""
    for name in ("modules", ".env"):
        (folder / name).symlink_to(TEMPLATE.with_name(name).resolve())
    settings = {"BLOB_CONTAINER": {"value": url}, "BLOB_CREDENTIALS": {"value": "/data/cloud/credentials"}}
    text, replaced = SHARE.subn(json.dumps(settings)[1:-1], TEMPLATE.read_text())
    assert replaced == 1
    manifest = folder / TEMPLATE.name
    manifest.write_text(text)
    return manifest


async def test_a_store_that_stops_and_hangs_loses_nothing(tmp_path: Path, azurite: Azurite) -> None:
    plant = Plant.build(tmp_path, 120)
    container = azurite.make_container()
    plant.folders.make()
    (plant.folders.cloud / "credentials").write_text(azurite.sas(container, "rw"))
    manifest = with_container(tmp_path, f"{azurite.endpoint}/{container}")
    async with plant.running(manifest=manifest) as suite:
        await suite.edit_twin("upload", {"shardSeconds": 0.5})
        await suite.swap(plant.models[0].desired())
        closed = await plant.feed(plant.drops[:40])
        await until_stored(suite, 10)
        azurite.stop()
        closed |= await plant.feed(plant.drops[40:80])
        await until_stored(suite, 80)
        azurite.start()
        azurite.freeze()
        closed |= await plant.feed(plant.drops[80:])
        await until_stored(suite, 120)
        azurite.thaw()
        counts = await suite.until_settled(len(plant.drops))
    azurite.download(container, plant.folders.cloud)
    verdict = plant.verdict(closed, counts)
    assert verdict.clean, verdict.wrong
    assert (verdict.predicted, verdict.quarantined) == (len(plant.drops), 0)
