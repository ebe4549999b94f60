"""A module of one's own in containers, beside the others."""

import os
import shutil
from pathlib import Path

import docker
import pytest

from edge_simulator.manifest import load
from images import engine
from support.containers import BASE
from support.project import ROOT
from support.scaffold import NAME, Copy, check_data_goes_through
from support.suite import Plant

pytestmark = pytest.mark.containers

WHEELS = "build/wheels/{}/amd64"


@pytest.mark.usefixtures("images", "base")
async def test_data_goes_through_it(client: docker.DockerClient, tmp_path: Path) -> None:
    copy = Copy.below(tmp_path)
    copy.lay_out()
    manifest = copy.deployed()
    image = load(manifest, os.environ).modules[NAME].image
    build(copy, image)
    try:
        assert client.images.get(image).attrs["Config"]["User"] == "10005:10000"
        await check_data_goes_through(Plant.build(tmp_path, 20), manifest, "--engine", "docker")
    finally:
        client.images.remove(image, force=True)


def build(copy: Copy, image: str) -> None:
    """Build it from the wheels of ingest, which stands on the same packages and some more."""
    shutil.copytree(ROOT / WHEELS.format("ingest"), copy.root / WHEELS.format(NAME))
    engine.build(copy.root / "modules" / NAME / "Dockerfile.amd64", (image,), {"BASE_IMAGE": BASE}, copy.root)
