"""Which images there are, and what they are called."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_simulator.manifest.images import ImageSource
from edge_simulator.manifest.template import environment
from images.engine import EngineError, run

ROOT = Path(__file__).resolve().parents[1]
TEMPLATE = ROOT / "deployment.template.json"


@dataclass(frozen=True, slots=True)
class Image:
    """One module's image for one platform."""

    module: str
    repository: str
    version: str
    platform: str
    dockerfile: Path

    def tag(self, *more: str) -> str:
        """Return the image's name, with words between version and platform."""
        return f"{self.repository}:{'-'.join((self.version, *more, self.platform))}"


def images(platform: str) -> Iterator[Image]:
    """The images of a platform; a module that has none for it is left out.

    Raises:
        ManifestError: a `module.json` cannot be read.
    """
    variables = environment(TEMPLATE, os.environ)
    for path in sorted(ROOT.glob("modules/*/module.json")):
        source = ImageSource.read(path.parent, variables)
        if platform in source.dockerfiles:
            dockerfile = path.parent / source.dockerfiles[platform]
            yield Image(path.parent.name, source.repository, source.version, platform, dockerfile)


def revision() -> str:
    """Return the commit that is checked out, `unknown` outside a repository; `-dirty` if something is changed."""
    try:
        commit = run("git", "-C", str(ROOT), "rev-parse", "--short=12", "HEAD")
        changed = run("git", "-C", str(ROOT), "status", "--porcelain")
    except EngineError:
        return "unknown"
    return f"{commit}-dirty" if changed else commit
