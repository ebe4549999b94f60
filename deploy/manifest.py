"""`make manifest`: expands deployment.template.json for the place that the suite, or inference alone, is to run at."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import click

from deploy import cluster
from deploy.targets import TARGETS
from edge_simulator.manifest import ManifestError
from edge_simulator.manifest.expansion import Expanded, expand_template, with_chunked_options
from edge_simulator.manifest.images import read_pins
from edge_simulator.manifest.template import environment
from edge_simulator.manifest.variables import unset

TEMPLATE: Final = Path("deployment.template.json")
_WITH_GPU: Final = {"CONTAINER_RUNTIME": "nvidia", "REQUIRE_GPU": "true"}
_OLD_RUNTIME: Final = {"EDGE_RUNTIME_VERSION": "1.1"}
"""The last that deploys to Kubernetes."""


def expanded(
    template: Path, target: str, platform: str, env: Mapping[str, str], pins: Mapping[str, str] | None
) -> Expanded:
    """Expand a template for a target.

    Args:
        template: The file.
        target: One of `TARGETS`.
        platform: That of the images; one that ends in `.gpu` is for hosts with a GPU.
        env: Variables, over those of the `.env` beside the template.
        pins: What stands for an image's name, as `read_pins` returns it.

    Raises:
        ManifestError: The template cannot be expanded, or there is no such target with a GPU.
    """
    has_gpu = platform.endswith(".gpu")
    if has_gpu and (target == "cpu" or not platform.startswith("amd64")):
        raise ManifestError(f"there is no image with CUDA for target {target} on {platform.removesuffix('.gpu')}")
    env = {**(_OLD_RUNTIME if target == "k8s-legacy" else {}), **env, **(_WITH_GPU if has_gpu else {})}
    given = expand_template(template, env, platform, pins)
    document = with_chunked_options(TARGETS[target](json.loads(given.text)))
    return Expanded(given.file_name, json.dumps(document, indent=2) + "\n", given.unset)


def written(
    target: str, platform: str, env: Mapping[str, str], pins: Mapping[str, str] | None, output: Path
) -> Mapping[Path, str]:
    """The files for a target, with their content.

    Args:
        target: One of `TARGETS`, or a cluster.
        platform: As for `expanded`.
        env: Likewise.
        pins: Likewise.
        output: The first of them; what else there is has its name in front.

    Raises:
        ManifestError: As of `expanded`.
    """
    if target != cluster.TARGET:
        return {output: expanded(TEMPLATE, target, platform, env, pins).text}
    suite = json.loads(expanded(TEMPLATE, "vm", platform, env, pins).text)
    given = environment(TEMPLATE, env)
    return {output: cluster.deployment(suite, given), output.with_suffix(".kserve.yaml"): cluster.kserve(suite, given)}


@click.command()
@click.option(
    "--target", type=click.Choice([*TARGETS, cluster.TARGET]), default="vm", show_default=True, help="Where it runs."
)
@click.option("--gpu", type=click.Choice(["0", "1"]), default="0", show_default=True, help="Whether it has a GPU.")
@click.option("--platform", default="amd64", show_default=True, help="Platform of the images.")
@click.option("--pins", type=click.Path(path_type=Path), help="Record of pushed images, whose digests are then used.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="File to write.")
def main(target: str, gpu: str, platform: str, pins: Path | None, output: Path) -> None:
    """Write the manifest that IoT Hub takes, or what a cluster does."""
    variant = f"{platform}.gpu" if gpu == "1" else platform
    try:
        files = written(target, variant, os.environ, read_pins(pins) if pins else None, output)
    except ManifestError as error:
        raise click.ClickException(str(error)) from error
    output.parent.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
        click.echo(str(path))
    for name in unset("".join(files.values())):
        click.echo(f"no value for {name}: set it in the environment or in .env", err=True)


if __name__ == "__main__":
    main()
