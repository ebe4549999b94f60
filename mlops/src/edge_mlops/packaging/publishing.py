"""Signs a package, and brings it to a registry, by the code of ``edge-model``."""

import time
from datetime import datetime
from pathlib import Path

from edge_inference import layout as layouts
from edge_inference import transfer
from edge_inference.errors import SignatureError
from edge_inference.images import describe_manifest
from edge_inference.patience import Patience
from edge_inference.registry.names import RegistryName
from edge_inference.registry.repository import Repository
from edge_inference.signing.signer import Signer
from edge_inference.signing.verify import verify
from edge_inference.sources import LayoutSource
from edge_mlops.packages import reference_of


def sign(layout: Path, reference: str, signer: Signer, now: datetime) -> str:
    """Sign a package of a layout, unless the signer's root vouches for it already.

    Args:
        layout: Where it is.
        reference: Its tag there, or its digest.
        signer: Who signs.
        now: When.

    Returns:
        The reference that a twin takes.

    Raises:
        ModelError: There is no such package, or what signs it would be refused.
        OSError: The layout cannot be written.
    """
    entry, _ = layouts.inspect(layout, reference)
    source = LayoutSource(layout, entry.digest)
    target = describe_manifest(source.manifest(), entry.digest)
    roots = frozenset({signer.chain[-1]})
    try:
        verify(target, source.referrers, roots, now)
    except SignatureError:
        layouts.sign(layout, entry.digest, signer, now)
        verify(target, source.referrers, roots, now)
    return reference_of(layout, entry)


def push(layout: Path, reference: str, name: RegistryName, repository: Repository) -> str:
    """Put a signed package in a registry, with its signatures; what is there is not sent again.

    Args:
        layout: Where it is.
        reference: Its tag there, or its digest.
        name: Where it goes; its tag is the package's version unless it has one.
        repository: The same, connected.

    Returns:
        The reference that a twin takes.

    Raises:
        ModelError: It cannot be read, or the registry does not take it.
    """
    entry, _ = layouts.inspect(layout, reference)
    tag = name.tag or entry.tag.rpartition(":")[2]
    digest = transfer.push(LayoutSource(layout, entry.digest), repository, tag, Patience(), time.sleep)
    return f"{name.registry}/{name.repository}@{digest}"
