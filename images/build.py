"""`make images`: builds every module's image, writes its SBOM, and prints sizes and times."""

import json
import os
import sys
import time
from pathlib import Path

from edge_simulator.manifest.errors import ManifestError
from images import engine
from images.sbom import bill_of_materials
from images.sources import ROOT, Image, images, revision

BILLS = ROOT / "build/sbom"
INVENTORY = Path(__file__).with_name("inventory.py")
FORWARDED = ("BASE_IMAGE", "SOURCE")
"""Build arguments that are taken from the environment."""


def main(platform: str) -> None:
    """Build the images of a platform."""
    BILLS.mkdir(parents=True, exist_ok=True)
    commit = revision()
    for image in images(platform):
        began = time.monotonic()
        _build(image, commit)
        took = time.monotonic() - began
        _describe(image)
        print(f"{image.tag()}  {engine.size(image.tag()) / 1e6:6.1f} MB  {took:5.1f} s", flush=True)
    print(f"revision {commit}; bills of materials in {BILLS.relative_to(ROOT)}")


def _build(image: Image, commit: str) -> None:
    given = {name: os.environ[name] for name in FORWARDED if os.environ.get(name)}
    arguments = {"VERSION": image.version, "REVISION": commit, **given}
    engine.build(image.dockerfile, (image.tag(), image.tag(commit)), arguments, ROOT)


def _describe(image: Image) -> None:
    listed = [json.loads(line) for line in engine.python(image.tag(), INVENTORY).splitlines()]
    bill = bill_of_materials(image.repository, image.version, listed)
    (BILLS / f"{image.module}-{image.platform}.cdx.json").write_text(bill, encoding="utf-8")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (engine.EngineError, ManifestError) as error:
        sys.exit(f"images: {error}")
