"""``edge-model``: packs models for the inference module, moves packages, and says what they hold."""

import click

from edge_inference.cli.make import init, pack, reference
from edge_inference.cli.move import inspect, pull, push
from edge_inference.cli.signatures import sign, verify


@click.group()
def main() -> None:
    """Model packages: CNCF ModelPack in OCI image layouts and registries."""


for command in (init, pack, reference, push, pull, inspect, sign, verify):
    main.add_command(command)
