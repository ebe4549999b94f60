"""Whether an artifact has a good signature."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from edge_inference.errors import ModelError, SignatureExpiredError, SignatureInvalidError, SignatureMissingError
from edge_inference.package import Descriptor
from edge_inference.signing.chain import name
from edge_inference.signing.envelope import check
from edge_inference.signing.manifest import Signature, read_signature
from edge_inference.signing.referrers import Referrers, fetch_checked

_MOST_CANDIDATES: Final = 100
_TELLING: Final = (SignatureExpiredError, SignatureInvalidError, ModelError)
"""Of several reasons, the one nearest to a good signature is told."""


@dataclass(frozen=True)
class Attestation:
    """A good signature.

    Attributes:
        signer: Whose.
        signature: It.
    """

    signer: str
    signature: Signature


def verify(target: Descriptor, referrers: Referrers, roots: Collection[x509.Certificate], now: datetime) -> Attestation:
    """See that one signature of an artifact is good; others may be anything.

    Args:
        target: The artifact's manifest, as it was pinned.
        referrers: Where its signatures are.
        roots: Those that are pinned.
        now: The time.

    Raises:
        SignatureMissingError: There is none.
        SignatureInvalidError: None is good.
        SignatureExpiredError: One was good.
        ModelError: They cannot be had.
    """
    problems: list[ModelError] = []
    for candidate in referrers.referring_to(target.digest)[:_MOST_CANDIDATES]:
        try:
            if found := _attestation(candidate, target, referrers, roots, now):
                return found
        except ModelError as error:
            problems.append(error)
    for kind in _TELLING:
        for problem in problems:
            if isinstance(problem, kind):
                raise problem
    raise SignatureMissingError(f"nothing signs {target.digest}")


def _attestation(
    candidate: Descriptor,
    target: Descriptor,
    referrers: Referrers,
    roots: Collection[x509.Certificate],
    now: datetime,
) -> Attestation | None:
    manifest = fetch_checked(candidate, referrers)
    signature = read_signature(manifest, target.digest)
    if signature is None:
        return None
    envelope = fetch_checked(signature.envelope, referrers)
    chain = check(envelope, target, roots, now)
    return Attestation(name(chain[0]), Signature(manifest, [envelope]))
