"""Commands that sign a package, and verify its signatures."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from edge_inference import layout as layouts
from edge_inference.cli.common import FILE, errors, registry_options, repository_at
from edge_inference.images import describe_manifest
from edge_inference.package import Descriptor
from edge_inference.registry.signatures import RepositoryReferrers
from edge_inference.signing.manifest import Signature
from edge_inference.signing.referrers import Referrers
from edge_inference.signing.signer import Signer
from edge_inference.signing.trust import read_certificates
from edge_inference.signing.verify import verify as find_signature
from edge_inference.sources import LayoutSource

Attach = Callable[[Signature, str], None]


@click.command()
@click.argument("place")
@click.argument("reference", required=False)
@click.option("--key", required=True, type=FILE, help="The private key: PEM, RSA or EC, without a password.")
@click.option("--chain", required=True, type=FILE, help="Its certificates: PEM, the key's own first, the root last.")
@click.option("--days", type=click.IntRange(1), help="When the signature expires; with its certificates unless given.")
@registry_options
def sign(place: str, reference: str | None, key: Path, chain: Path, days: int | None, **options: Any) -> None:
    """Sign a package where it lies; PLACE and REFERENCE as for inspect. Prints what was signed."""
    with errors(), _package(place, reference, **options) as (target, _, attach):
        now = datetime.now(UTC)
        expiry = now + timedelta(days=days) if days else None
        attach(Signer.read(key, chain).sign(target, now, expiry), target.digest)
        click.echo(target.digest)


@click.command()
@click.argument("place")
@click.argument("reference", required=False)
@click.option(
    "--roots", required=True, type=click.Path(exists=True, path_type=Path), help="Pinned roots: a PEM file or a folder."
)
@registry_options
def verify(place: str, reference: str | None, roots: Path, **options: Any) -> None:
    """Verify a package's signatures as a device does; PLACE and REFERENCE as for inspect. Prints who signed what."""
    with errors(), _package(place, reference, **options) as (target, referrers, _):
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
        with repository_at(place, **options) as (name, repository):
            beside = RepositoryReferrers(repository)
            yield describe_manifest(repository.manifest(name.reference), name.digest), beside, beside.attach
