"""`edge-simulator manifest`: expand templates and check manifests."""

import dataclasses
import json
import os
from pathlib import Path

import click

from edge_simulator.manifest.checking import check as check_manifest
from edge_simulator.manifest.errors import ManifestError
from edge_simulator.manifest.expansion import expand_template
from edge_simulator.manifest.images import read_pins

_FILE = click.argument("file", type=click.Path(path_type=Path))
_FOLDER = click.Path(file_okay=False, path_type=Path)
_PLATFORM = click.option("--platform", default="amd64", show_default=True, help="Platform of the modules' images.")


@click.group()
def manifest() -> None:
    """Expand and check deployment manifests."""


@manifest.command()
@_FILE
@click.option("--output-dir", type=_FOLDER, required=True, help="Folder to write to.")
@_PLATFORM
@click.option("--pins", type=click.Path(path_type=Path), help="Record of pushed images, whose digests are then used.")
def expand(file: Path, output_dir: Path, platform: str, pins: Path | None) -> None:
    """Write the manifest that IoT Hub takes, deployment.PLATFORM.json, from the template FILE."""
    try:
        expanded = expand_template(file, os.environ, platform, read_pins(pins) if pins else None)
    except ManifestError as error:
        raise click.ClickException(str(error)) from error
    output_dir.mkdir(parents=True, exist_ok=True)
    target = output_dir / expanded.file_name
    target.write_text(expanded.text, encoding="utf-8")
    click.echo(str(target))
    for name in expanded.unset:
        click.echo(f"no value for {name}: set it in the environment or in {file.parent / '.env'}", err=True)


@manifest.command()
@_FILE
@_PLATFORM
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array of findings.")
@click.pass_context
def check(context: click.Context, file: Path, platform: str, *, as_json: bool) -> None:
    """Find mistakes in the manifest or template FILE; the exit status is 1 if there are any."""
    findings = check_manifest(file, os.environ, platform)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            place = f"{finding.file}: {finding.path}" if finding.path else finding.file
            click.echo(f"{place}: {finding.reason}; {finding.mend} [{finding.rule}]")
        click.echo(f"{file}: {len(findings)} findings" if findings else f"{file}: nothing wrong found", err=True)
    context.exit(1 if findings else 0)
