"""`edge-simulator manifest`: expand templates and check manifests."""

import click


@click.group()
def manifest() -> None:
    """Expand and check deployment manifests."""
