"""`edge-simulator routes`: try routes before deploying them."""

import json
import sys

import click

from edge_simulator.routing.check import check_line


@click.group()
def routes() -> None:
    """Check message routes."""


@routes.command()
def check() -> None:
    """Check routes from standard input, a JSON object a line, and print an answer a line.

    A line is {"route": "FROM … WHERE … INTO …", "message": {"source": "/messages/modules/m/outputs/o",
    "properties": {}, "systemProperties": {}, "body": "text"}}; without the message the route is only compiled.
    """
    for line in sys.stdin.buffer:
        click.echo(json.dumps(check_line(line)))
