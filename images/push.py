"""`make push`: pushes the images that `make images` built, and records their digests for `make manifest`."""

import json
import sys

from edge_common.files import write_atomically
from edge_simulator.manifest.errors import ManifestError
from images import engine
from images.sources import ROOT, images

RECORD = ROOT / "config/images.json"


def main(platform: str) -> None:
    """Push the images of a platform, each by version and by revision."""
    record = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for image in images(platform):
        built_from = engine.label(image.tag(), "org.opencontainers.image.revision")
        for tag in (image.tag(), image.tag(built_from)):
            engine.run("docker", "push", "--quiet", tag)
        record[image.tag()] = engine.digest(image.tag(), image.repository)
        print(record[image.tag()], flush=True)
    RECORD.parent.mkdir(exist_ok=True)
    write_atomically(RECORD, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (engine.EngineError, ManifestError) as error:
        sys.exit(f"push: {error}")
