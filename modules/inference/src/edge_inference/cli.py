"""``edge-model``: packs models for the inference module, and says what a layout holds."""

from pathlib import Path

import click

from edge_common.errors import EdgeError
from edge_inference import layout as layouts


@click.group()
def main() -> None:
    """Model packages: CNCF ModelPack in OCI image layouts."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="The model's name.")
@click.option("--version", required=True, help="The model's version.")
@click.option(
    "--layout", required=True, type=click.Path(file_okay=False, path_type=Path), help="The OCI image layout to add to."
)
def pack(folder: Path, name: str, version: str, layout: Path) -> None:
    """Check the package in FOLDER and add it to a layout; prints the pinned reference.

    FOLDER holds model.onnx, contract.json and whatever else belongs to the model.
    """
    try:
        click.echo(layouts.pack(folder, layout, name, version))
    except (EdgeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@main.command()
@click.argument("layout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("reference", required=False)
def inspect(layout: Path, reference: str | None) -> None:
    """List the packages in LAYOUT, or the files of one: REFERENCE is a tag (name:version) or a digest."""
    try:
        if reference is None:
            for entry in layouts.entries(layout):
                click.echo(f"{entry.tag or '-'}  {entry.digest}")
        else:
            _show(layout, reference)
    except EdgeError as error:
        raise click.ClickException(str(error)) from error


def _show(layout: Path, reference: str) -> None:
    entry, manifest = layouts.inspect(layout, reference)
    click.echo(f"{entry.tag or '-'}  {entry.digest}")
    for name, blob in manifest.files.items():
        click.echo(f"  {blob.size:>12,}  {name}  {blob.digest}  {blob.media_type}")
