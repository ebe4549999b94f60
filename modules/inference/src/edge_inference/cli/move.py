"""Commands that move a package to a registry and from it, and say what it holds."""

import time
from pathlib import Path
from typing import Any

import click

from edge_inference import layout as layouts
from edge_inference import transfer
from edge_inference.cli.common import FOLDER, errors, registry_options, repository_at
from edge_inference.cli.passing import Shown, progress
from edge_inference.images import read_outline
from edge_inference.package import Outline, digest_of
from edge_inference.patience import Patience
from edge_inference.registry.registries import RegistrySource
from edge_inference.sources import LayoutSource


@click.command()
@click.argument("layout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("reference")
@click.argument("target")
@registry_options
def push(layout: Path, reference: str, target: str, **options: Any) -> None:
    """Put a package of LAYOUT in a registry; prints the reference that a twin takes.

    REFERENCE is a tag in the layout (name:version) or a digest, TARGET is <registry>/<repository>[:<tag>].
    """
    with errors(), repository_at(target, **options) as (name, repository), progress() as shown_by:
        entry, _ = layouts.inspect(layout, reference)
        shown = Shown(LayoutSource(layout, entry.digest), shown_by)
        digest = transfer.push(shown, repository, name.tag, Patience(), time.sleep)
    click.echo(f"{name.registry}/{name.repository}@{digest}")


@click.command()
@click.argument("source")
@click.argument("layout", type=FOLDER)
@registry_options
def pull(source: str, layout: Path, **options: Any) -> None:
    """Put a package of a registry in LAYOUT, every byte checked; prints the reference that a twin takes.

    SOURCE is <registry>/<repository>[:<tag>][@<digest>]. Broken off, it goes on where it was when it is called again.
    """
    with errors(), repository_at(source, **options) as (name, repository), progress() as shown_by:
        shown = Shown(RegistrySource(repository, name.reference), shown_by)
        tag = f"{name.repository.rpartition('/')[2]}:{name.tag}" if name.tag else ""
        digest = transfer.pull(shown, name.digest, layout, tag, Patience(), time.sleep)
    click.echo(f"oci:{layout.resolve().name}@{digest}")


@click.command()
@click.argument("place")
@click.argument("reference", required=False)
@registry_options
def inspect(place: str, reference: str | None, **options: Any) -> None:
    """List the packages in a layout, or the files of one package.

    PLACE is a layout, with REFERENCE a tag in it (name:version) or a digest; or a package in a registry,
    <registry>/<repository>[:<tag>][@<digest>].
    """
    with errors():
        if not Path(place).is_dir():
            with repository_at(place, **options) as (name, repository):
                data = repository.manifest(name.reference)
            _show(name.tag, digest_of(data), read_outline(data))
        elif reference:
            entry, outline = layouts.inspect(Path(place), reference)
            _show(entry.tag, entry.digest, outline)
        else:
            for entry in layouts.entries(Path(place)):
                click.echo(f"{entry.tag or '-'}  {entry.digest}")


def _show(tag: str, digest: str, outline: Outline) -> None:
    click.echo(f"{tag or '-'}  {digest}")
    for blob in outline.layers:
        click.echo(f"  {blob.size:>12,}  {blob.title}  {blob.digest}  {blob.media_type}")
