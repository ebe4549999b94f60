"""`edge-simulator twin`."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from edge_simulator.commands.common import ask, state_option


@click.group()
def twin() -> None:
    """Read and edit the twins of modules."""


@twin.command()
@click.argument("module")
@state_option
def get(module: str, state: Path) -> None:
    """Print the twin of MODULE."""
    click.echo(json.dumps(ask(state, lambda control: control.twin(module)), indent=2))


@twin.command("set")
@click.argument("module")
@click.argument("changes", metavar="PATH=VALUE...", nargs=-1, required=True)
@state_option
def set_(module: str, changes: tuple[str, ...], state: Path) -> None:
    """Change desired properties of MODULE, and push the change to it.

    PATH is dotted (model.ref); VALUE is JSON, or else a string; null deletes.
    """
    patch = parse(changes)
    version = ask(state, lambda control: control.set_desired(module, patch))
    click.echo(f"{module}: desired properties are at version {version}")


def parse(changes: Iterable[str]) -> dict[str, Any]:
    """Return the patch that changes of the form PATH=VALUE make together.

    Raises:
        click.UsageError: one has another form, or contradicts another.
    """
    patch: dict[str, Any] = {}
    for change in changes:
        path, equals, value = change.partition("=")
        *parents, name = path.split(".")
        if not equals or not all([*parents, name]):
            raise click.UsageError(f"{change!r} is not PATH=VALUE")
        section = patch
        for parent in parents:
            section = section.setdefault(parent, {})
            if not isinstance(section, dict):
                raise click.UsageError(f"{change!r} contradicts an earlier change")
        section[name] = _value(value)
    return patch


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
