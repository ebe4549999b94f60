"""What the commands share: options, errors, and the registry that is meant."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from edge_common.errors import EdgeError
from edge_inference.registry.names import RegistryName
from edge_inference.registry.registries import Registries
from edge_inference.registry.repository import Repository

F = TypeVar("F", bound=Callable[..., Any])


_OPTIONS = (
    click.option("--plain-http", is_flag=True, help="The registry speaks no TLS."),
    click.option(
        "--ca", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Certificates to trust besides."
    ),
    click.option(
        "--credentials",
        type=click.Path(dir_okay=False, path_type=Path),
        help="A config.json as docker login writes it; docker's own unless given.",
    ),
)
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def registry_options(command: F) -> F:
    """Give a command the options of :func:`repository_at`."""
    return reduce(lambda made, option: option(made), _OPTIONS, command)


@contextmanager
def errors() -> Iterator[None]:
    """Have what goes wrong told in a sentence."""
    try:
        yield
    except (EdgeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def repository_at(
    text: str, *, plain_http: bool, ca: Path | None, credentials: Path | None
) -> Iterator[tuple[RegistryName, Repository]]:
    """A repository, and what was named of it.

    Args:
        text: ``<registry>/<repository>[:<tag>][@<digest>]``.
        plain_http: Whether the registry speaks no TLS.
        ca: Certificates to trust besides.
        credentials: A config.json as ``docker login`` writes it; docker's own unless given.

    Raises:
        ValueError: The text is no such name.
        OSError: The certificates cannot be read.
    """
    name = RegistryName.parse(text)
    allowed = [f"{'http' if plain_http else 'https'}://{name.registry}"]
    registries = Registries.connect(allowed, credentials or _dockers(), ca)
    try:
        yield name, registries.repository(name)
    finally:
        registries.close()


def _dockers() -> Path | None:
    path = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "config.json"
    return path if path.is_file() else None
