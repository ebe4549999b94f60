"""The commands of ``edge-mlops``, one a step. Each prints the folder that it made, or found already made."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from edge_inference.cli.common import FILE, FOLDER, errors, registry_options, repository_at
from edge_mlops.rollout.commands import rollback, rollout
from edge_mlops.training.recipes import ESTIMATORS, Recipe
from edge_mlops.watching.command import watch
from edge_mlops.wishes import read_wish

THERE: Final = click.Path(exists=True, file_okay=False, path_type=Path)

STORE: Final = click.option("--store", metavar="FOLDER|URL", help="Where the dataset's files are now, if elsewhere.")
TRACK: Final = click.option(
    "--track",
    metavar="FOLDER|URI",
    envvar="MLFLOW_TRACKING_URI",
    help="Where MLflow is to be told of the run: a folder, a tracking server, or an Azure ML workspace.",
)
VERSION: Final = click.option("--dataset", "version", type=THERE, help="The dataset's folder now, if elsewhere.")


def _tracked(run: Path, uri: str | None) -> None:
    """Print a run's folder, once MLflow has been told of it, if somebody wishes that."""
    if uri:
        from edge_mlops.tracking.tracking import track  # noqa: PLC0415 - an extra, and it takes a second and a half

        track(run, uri)
    click.echo(run)


@click.group()
def main() -> None:
    """From what the devices stored to the next model, step by step."""


main.add_command(rollout)
main.add_command(rollback)
main.add_command(watch)


@main.command()
@click.argument("name")
@click.option(
    "--store",
    metavar="FOLDER|URL",
    required=True,
    envvar="EDGE_STORE",
    help="The cloud share, as it is mounted here, or a container's address; what opens it is as for edge-verify.",
)
@click.option("--folder", type=FOLDER, required=True, help="Where datasets are.")
@click.option("--labels", type=FILE, help="A CSV file with the columns id or path, label, and sample; or COCO's JSON.")
@click.option("--input", "contract", type=FILE, help="A contract, or its input half: its features are in the profile.")
def dataset(name: str, store: str, folder: Path, labels: Path | None, contract: Path | None) -> None:
    """Freeze what upload stored as the next version of the dataset NAME."""
    from edge_mlops.dataset.freezing import freeze  # noqa: PLC0415 - each step's libraries take a second to import

    with errors():
        wanted = read_wish(contract).input if contract else None
        click.echo(asyncio.run(freeze(store, folder, name, labels, wanted, datetime.now(UTC))))


@main.command()
@click.argument("version", type=THERE)
@click.option("--input", "contract", type=FILE, required=True, help="The active model's contract, or an input half.")
@click.option("--folder", type=FOLDER, required=True, help="Where runs are.")
@click.option("--estimator", type=click.Choice(ESTIMATORS), default=ESTIMATORS[0], show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@STORE
@TRACK
def train(version: Path, contract: Path, folder: Path, *, store: str | None, track: str | None, **recipe: Any) -> None:
    """Train a classifier on VERSION, the folder of a dataset."""
    from edge_mlops.training.training import train as run  # noqa: PLC0415 - as above

    with errors():
        made = asyncio.run(run(version, read_wish(contract), folder, Recipe(**recipe), store))
        _tracked(made, track)


@main.command()
@click.argument("run", type=THERE)
@click.option(
    "--active",
    nargs=2,
    metavar="LAYOUT REFERENCE",
    help="The active model: a layout, and its tag in it; or its name alone, for the latest version, if there is one.",
)
@click.option("--gate", "file", type=FILE, help="What must be reached: JSON, see docs/mlops.md.")
@STORE
@TRACK
@VERSION
def evaluate(
    run: Path,
    active: tuple[str, str] | None,
    file: Path | None,
    store: str | None,
    track: str | None,
    version: Path | None,
) -> None:
    """Hold the model of RUN against the active one; the status is 1 if it does not pass, and why is printed."""
    from edge_mlops.evaluation.evaluating import evaluate as judge  # noqa: PLC0415 - as above
    from edge_mlops.evaluation.gate import Gate, read_gate  # noqa: PLC0415
    from edge_mlops.packaging.numbering import rival  # noqa: PLC0415

    with errors():
        against = rival(Path(active[0]), active[1]) if active else None
        verdict = asyncio.run(judge(run, read_gate(file) if file else Gate(), against, store, version))
        _tracked(run, track)
    if verdict.refusals:
        raise click.ClickException("it does not pass: " + "; ".join(verdict.refusals))


@main.command()
@click.argument("run", type=THERE)
@click.argument("name")
@click.option("--layout", type=FOLDER, required=True, help="The OCI image layout to add to.")
@click.option("--variants", "kinds", metavar="int8,fp16", default="", help="Smaller numbers to pack it in as well.")
@STORE
@VERSION
def package(run: Path, name: str, layout: Path, kinds: str, store: str | None, version: Path | None) -> None:
    """Pack the model of RUN, which passed, as the next version of NAME; prints the reference that a twin takes.

    A variant that passes as well is packed beside it, and its reference printed after it.
    """
    from edge_mlops.packaging import packaging, variants  # noqa: PLC0415 - as above

    with errors():
        wanted = variants.kinds(kinds)
        click.echo(asyncio.run(packaging.package(run, name, layout, store, version)))
        for one in asyncio.run(variants.derive(run, name, layout, wanted, store, version)) if wanted else ():
            click.echo(
                one.reference or f"not packed: {name}:{one.version}: {'; '.join(one.refusals)}", err=not one.reference
            )


@main.command()
@click.argument("layout", type=THERE)
@click.argument("reference")
@click.argument("target", required=False)
@click.option(
    "--key",
    required=True,
    metavar="FILE|URL",
    help="The private key: PEM, RSA or EC, without a password; or the address of a Key Vault's secret that holds it.",
)
@click.option("--chain", required=True, type=FILE, help="Its certificates: PEM, the key's own first, the root last.")
@registry_options
def publish(layout: Path, reference: str, target: str | None, key: str, chain: Path, **options: Any) -> None:
    """Sign a package of LAYOUT; with TARGET, push it there; prints the reference that a twin takes.

    REFERENCE is its tag (name:version) or digest, TARGET <registry>/<repository>[:<tag>]; the tag is the version
    unless given.
    """
    from edge_mlops.packaging import publishing, vault  # noqa: PLC0415 - as above

    with errors():
        published = publishing.sign(layout, reference, vault.signer(key, chain), datetime.now(UTC))
        if target:
            with repository_at(target, **options) as (name, repository):
                published = publishing.push(layout, reference, name, repository)
    click.echo(published)


@main.command()
@click.argument("layout", type=THERE)
@click.argument("published")
@click.option(
    "--path", required=True, metavar="URI", help="The address of LAYOUT as the workspace knows it, azureml://…"
)
@click.option("--subscription", required=True, envvar="AZUREML_ARM_SUBSCRIPTION", help="The workspace's.")
@click.option("--resource-group", "group", required=True, envvar="AZUREML_ARM_RESOURCEGROUP", help="The workspace's.")
@click.option("--workspace", required=True, envvar="AZUREML_ARM_WORKSPACE_NAME", help="An Azure Machine Learning one.")
def register(layout: Path, published: str, path: str, subscription: str, group: str, workspace: str) -> None:
    """Name a package of LAYOUT in a workspace's model registry; prints its name and version there.

    PUBLISHED is what publish printed. In a job of the workspace, the environment says which one it is.
    """
    from edge_mlops.packaging import registering  # noqa: PLC0415 - as above

    with errors():
        from edge_mlops.azureml.catalog import Workspace, WorkspaceCatalog  # noqa: PLC0415 - an extra

        with closing(WorkspaceCatalog(Workspace(subscription, group, workspace))) as catalog:
            click.echo(registering.register(catalog, layout, published, path))
