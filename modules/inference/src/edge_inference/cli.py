"""``edge-model``: packs models for the inference module, moves packages, and says what they hold."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from edge_common.errors import EdgeError
from edge_common.files import write_atomically
from edge_inference import layout as layouts
from edge_inference import transfer
from edge_inference.drift.making import make_reference
from edge_inference.drift.reference import BINS
from edge_inference.images import describe_manifest, read_outline
from edge_inference.package import DRIFT, Descriptor, Outline, digest_of
from edge_inference.patience import Patience
from edge_inference.registry.names import RegistryName
from edge_inference.registry.registries import Registries, RegistrySource
from edge_inference.registry.repository import Repository
from edge_inference.registry.signatures import RepositoryReferrers
from edge_inference.signing.manifest import Signature
from edge_inference.signing.referrers import Referrers
from edge_inference.signing.signer import Signer
from edge_inference.signing.trust import read_certificates
from edge_inference.signing.verify import verify as find_signature
from edge_inference.sources import LayoutSource, ModelSource, Stream

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
_FOLDER = click.Path(file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

Attach = Callable[[Signature, str], None]


def _registry_options(command: F) -> F:
    return reduce(lambda made, option: option(made), _OPTIONS, command)


@click.group()
def main() -> None:
    """Model packages: CNCF ModelPack in OCI image layouts and registries."""


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--name", required=True, help="The model's name.")
@click.option("--version", required=True, help="The model's version.")
@click.option("--layout", required=True, type=_FOLDER, help="The OCI image layout to add to.")
def pack(folder: Path, name: str, version: str, layout: Path) -> None:
    """Check the package in FOLDER and add it to a layout; prints the pinned reference.

    FOLDER holds model.onnx, contract.json and whatever else belongs to the model.
    """
    with _errors():
        click.echo(layouts.pack(folder, layout, name, version))


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("samples", type=_FILE)
@click.option("--bins", type=click.IntRange(2, 256), default=BINS, show_default=True, help="Bins of each feature.")
def reference(folder: Path, samples: Path, bins: int) -> None:
    """Write drift.json to the package in FOLDER, by which a device sees that its input has drifted.

    SAMPLES is a .npy file of what the model is meant for, prepared as its contract says.
    """
    with _errors():
        made = make_reference(folder, np.load(samples, mmap_mode="r", allow_pickle=False), bins)
        write_atomically(folder / DRIFT, made.model_dump_json(indent=2).encode())
    click.echo(f"{folder / DRIFT}: {', '.join(made.features)}")


@main.command()
@click.argument("layout", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("reference")
@click.argument("target")
@_registry_options
def push(layout: Path, reference: str, target: str, **options: Any) -> None:
    """Put a package of LAYOUT in a registry; prints the reference that a twin takes.

    REFERENCE is a tag in the layout (name:version) or a digest, TARGET is <registry>/<repository>[:<tag>].
    """
    with _errors(), _repository(target, **options) as (name, repository), _progress() as progress:
        entry, _ = layouts.inspect(layout, reference)
        shown = _Shown(LayoutSource(layout, entry.digest), progress)
        digest = transfer.push(shown, repository, name.tag, Patience(), time.sleep)
    click.echo(f"{name.registry}/{name.repository}@{digest}")


@main.command()
@click.argument("source")
@click.argument("layout", type=_FOLDER)
@_registry_options
def pull(source: str, layout: Path, **options: Any) -> None:
    """Put a package of a registry in LAYOUT, every byte checked; prints the reference that a twin takes.

    SOURCE is <registry>/<repository>[:<tag>][@<digest>]. Broken off, it goes on where it was when it is called again.
    """
    with _errors(), _repository(source, **options) as (name, repository), _progress() as progress:
        shown = _Shown(RegistrySource(repository, name.reference), progress)
        tag = f"{name.repository.rpartition('/')[2]}:{name.tag}" if name.tag else ""
        digest = transfer.pull(shown, name.digest, layout, tag, Patience(), time.sleep)
    click.echo(f"oci:{layout.resolve().name}@{digest}")


@main.command()
@click.argument("place")
@click.argument("reference", required=False)
@_registry_options
def inspect(place: str, reference: str | None, **options: Any) -> None:
    """List the packages in a layout, or the files of one package.

    PLACE is a layout, with REFERENCE a tag in it (name:version) or a digest; or a package in a registry,
    <registry>/<repository>[:<tag>][@<digest>].
    """
    with _errors():
        if not Path(place).is_dir():
            with _repository(place, **options) as (name, repository):
                data = repository.manifest(name.reference)
            _show(name.tag, digest_of(data), read_outline(data))
        elif reference:
            entry, outline = layouts.inspect(Path(place), reference)
            _show(entry.tag, entry.digest, outline)
        else:
            for entry in layouts.entries(Path(place)):
                click.echo(f"{entry.tag or '-'}  {entry.digest}")


@main.command()
@click.argument("place")
@click.argument("reference", required=False)
@click.option("--key", required=True, type=_FILE, help="The private key: PEM, RSA or EC, without a password.")
@click.option("--chain", required=True, type=_FILE, help="Its certificates: PEM, the key's own first, the root last.")
@click.option("--days", type=click.IntRange(1), help="When the signature expires; with its certificates unless given.")
@_registry_options
def sign(place: str, reference: str | None, key: Path, chain: Path, days: int | None, **options: Any) -> None:
    """Sign a package where it lies; PLACE and REFERENCE as for inspect. Prints what was signed."""
    with _errors(), _package(place, reference, **options) as (target, _, attach):
        now = datetime.now(UTC)
        expiry = now + timedelta(days=days) if days else None
        attach(Signer.read(key, chain).sign(target, now, expiry), target.digest)
        click.echo(target.digest)


@main.command()
@click.argument("place")
@click.argument("reference", required=False)
@click.option(
    "--roots", required=True, type=click.Path(exists=True, path_type=Path), help="Pinned roots: a PEM file or a folder."
)
@_registry_options
def verify(place: str, reference: str | None, roots: Path, **options: Any) -> None:
    """Verify a package's signatures as a device does; PLACE and REFERENCE as for inspect. Prints who signed what."""
    with _errors(), _package(place, reference, **options) as (target, referrers, _):
        found = find_signature(target, referrers, frozenset(read_certificates(roots)), datetime.now(UTC))
        click.echo(f"{target.digest} is signed by {found.signer}")


@contextmanager
def _package(place: str, reference: str | None, **options: Any) -> Iterator[tuple[Descriptor, Referrers, Attach]]:
    """A package's manifest, where its signatures are, and what puts one there."""
    layout = Path(place)
    if layout.is_dir():
        if not reference:
            raise ValueError(f"{place} is a layout: say which package in it, by tag or digest")
        entry, _ = layouts.inspect(layout, reference)
        source = LayoutSource(layout, entry.digest)
        target = describe_manifest(source.manifest(), entry.digest)
        yield target, source.referrers, lambda signature, _: layouts.attach(layout, signature)
    else:
        with _repository(place, **options) as (name, repository):
            beside = RepositoryReferrers(repository)
            yield describe_manifest(repository.manifest(name.reference), name.digest), beside, beside.attach


def _show(tag: str, digest: str, outline: Outline) -> None:
    click.echo(f"{tag or '-'}  {digest}")
    for blob in outline.layers:
        click.echo(f"  {blob.size:>12,}  {blob.title}  {blob.digest}  {blob.media_type}")


@contextmanager
def _repository(
    text: str, *, plain_http: bool, ca: Path | None, credentials: Path | None
) -> Iterator[tuple[RegistryName, Repository]]:
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


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (EdgeError, ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _progress() -> Progress:
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn()
    return Progress(*columns, console=Console(stderr=True), transient=True)


class _Shown:
    """A source whose blobs are seen passing."""

    def __init__(self, source: ModelSource, progress: Progress) -> None:
        self._source = source
        self._progress = progress

    @property
    def referrers(self) -> Referrers:
        return self._source.referrers

    def manifest(self) -> bytes:
        return self._source.manifest()

    def open(self, blob: Descriptor, at: int = 0) -> Stream:
        task = self._progress.add_task(blob.title, total=blob.size, completed=at)
        return _Watched(self._source.open(blob, at), lambda count: self._progress.advance(task, count))


class _Watched:
    """A stream whose bytes are counted as they are read."""

    def __init__(self, stream: Stream, read: Callable[[int], None]) -> None:
        self._stream = stream
        self._read = read

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        self.close()

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._read(len(data))
        return data

    def close(self) -> None:
        self._stream.close()
