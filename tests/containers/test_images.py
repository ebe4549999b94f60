"""What is in the images, and what it does there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from uuid import uuid4

import docker
import pytest

from edge_examples.catalogue import EXAMPLES
from images import engine
from images.sources import ROOT
from support.containers import BASE, MODULES, layers
from support.examples import check_example

pytestmark = pytest.mark.containers

MEGABYTES: Final = {"ingest": 90, "transform": 220, "inference": 180, "upload": 220}
IMPORT_ALL: Final = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    try:
        importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        if error.name not in sys.argv[2:]:
            raise
"""
EXTRAS: Final = {"transform": ("av",)}
"""What an extra brings that the image does not carry."""
DECODE_ALL: Final = """
import io
from PIL import Image
from edge_common.contract import ImageInput
from edge_transform.prepare import prepare
wanted = ImageInput(kind="image", name="x", width=4, height=4, channels="RGB", mean=(0, 0, 0), scale=(1, 1, 1))
kinds = [("bmp", {}), ("jpeg", {}), ("png", {}), ("webp", {}), ("webp", {"lossless": True})]
kinds += [("tiff", {"compression": name}) for name in (None, "jpeg", "tiff_lzw", "tiff_adobe_deflate", "lzma", "zstd")]
for kind, how in kinds:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(file, kind, **how)
    assert prepare(file.getvalue(), wanted).min() > 250, kind
"""


@pytest.fixture
def small(client: docker.DockerClient, images: dict[str, str], base: str) -> dict[str, str]:
    """The images; skips the test where they are not built upon the small base."""
    if any(layers(client, name)[0] != base for name in images.values()):
        pytest.skip(f"needs images upon the small base: make images BASE_IMAGE={BASE}")
    return images


@pytest.mark.parametrize("module", MODULES)
def test_built_again_an_image_has_the_same_layers(
    client: docker.DockerClient, small: dict[str, str], module: str
) -> None:
    with _built_again(module) as again:
        assert layers(client, again) == layers(client, small[module])


@contextmanager
def _built_again(module: str) -> Iterator[str]:
    """Build an image with no step of another build; all that it leaves has a name, and goes by it."""
    steps, name = (f"edge-test/{module}:{uuid4().hex}" for _ in range(2))
    dockerfile = ROOT / f"modules/{module}/Dockerfile.amd64"
    command = ("docker", "build", "--quiet", "--network=none", f"--build-arg=BASE_IMAGE={BASE}", f"--file={dockerfile}")
    try:
        engine.run(*command, "--no-cache", "--target=build", f"--tag={steps}", str(ROOT))
        engine.run(*command, f"--cache-from={steps}", f"--tag={name}", str(ROOT))
        yield name
    finally:
        for left in (steps, name):
            engine.run("docker", "image", "rm", "--force", left)


@pytest.mark.parametrize("module", MODULES)
def test_an_image_is_small(client: docker.DockerClient, small: dict[str, str], module: str) -> None:
    assert client.images.get(small[module]).attrs["Size"] / 1e6 <= MEGABYTES[module]


@pytest.mark.parametrize("module", MODULES)
def test_nothing_that_a_module_imports_was_left_out(
    client: docker.DockerClient, images: dict[str, str], module: str
) -> None:
    _run(client, images[module], IMPORT_ALL, f"edge_{module}", *EXTRAS.get(module, ()))


def test_every_kind_of_picture_is_decoded(client: docker.DockerClient, images: dict[str, str]) -> None:
    _run(client, images["transform"], DECODE_ALL)


def _run(client: docker.DockerClient, image: str, code: str, *arguments: str) -> None:
    """Run Python in a container; fails with what it says if it does."""
    command = ["python", "-W", "error", "-c", code, *arguments]
    client.containers.run(image, command[1:], entrypoint=command[0], network_mode="none", read_only=True, remove=True)


@pytest.mark.parametrize("name", EXAMPLES.keys() - {"digits"})
@pytest.mark.usefixtures("images")
async def test_an_example_settles_every_file_as_it_should(name: str, tmp_path: Path) -> None:
    await check_example(name, tmp_path, "--engine", "docker")
