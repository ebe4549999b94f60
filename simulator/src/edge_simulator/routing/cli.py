"""`edge-simulator routes`: try routes before deploying them."""

import click


@click.group()
def routes() -> None:
    """Check message routes."""
