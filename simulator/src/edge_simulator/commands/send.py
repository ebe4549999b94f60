"""`edge-simulator send`."""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import click

from edge_simulator.commands.common import ask, state_option


@click.command()
@click.argument("module")
@click.argument("module_input", metavar="INPUT")
@click.option("--file", type=click.File("rb"), help="What holds the body; - is standard input.  [default: no body]")
@click.option("--property", "properties", metavar="KEY=VALUE", multiple=True, help="A property; $.ct is content type.")
@state_option
def send(module: str, module_input: str, file: BinaryIO | None, properties: tuple[str, ...], state: Path) -> None:
    """Put a message on the input INPUT of MODULE, whatever the routes say."""
    body, pairs = file.read() if file else b"", dict(_pairs(properties))
    ask(state, lambda control: control.send(module, module_input, body, pairs))


def _pairs(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise click.UsageError(f"--property {text!r} is not KEY=VALUE")
        yield key, value
