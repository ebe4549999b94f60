"""One call says whether a package may be trusted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from edge_inference.errors import (
    ModelError,
    SignatureExpiredError,
    SignatureInvalidError,
    SignatureMissingError,
)
from edge_inference.package import Descriptor
from edge_inference.signing.chain import name
from edge_inference.signing.envelope import check
from edge_inference.signing.manifest import read_signature
from edge_inference.signing.referrers import Referrers, fetch_checked
from edge_inference.signing.trust import Trust, TrustPolicy

_MOST_CANDIDATES: Final = 100
_TELLING: Final = (SignatureExpiredError, SignatureInvalidError, ModelError)
"""Of several reasons, the one nearest to a good signature is told."""


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        signer: Whose good signature the package has; empty if none, or if nobody looked.
        problem: What is wrong, and passed over as the policy says.
    """

    signer: str = ""
    problem: ModelError | None = None


def verify(target: Descriptor, referrers: Referrers, trust: Trust, now: datetime) -> Verdict:
    """See that an artifact may be trusted: one good signature among its signatures is enough.

    Args:
        target: The manifest, as it was pinned.
        referrers: Where its signatures are.
        trust: What is asked of them.
        now: The time.

    Raises:
        SignatureMissingError: The policy is strict, and there is none.
        SignatureInvalidError: …, and none that is good.
        SignatureExpiredError: …, and the one that was good is not any more.
        ModelError: …, and they cannot be had.
    """
    if trust.policy is TrustPolicy.OFF:
        return Verdict()
    try:
        return Verdict(signer=_signer(target, referrers, trust.pinned(), now))
    except ModelError as error:
        if trust.policy is TrustPolicy.STRICT:
            raise
        return Verdict(problem=error)


def _signer(target: Descriptor, referrers: Referrers, roots: Collection[x509.Certificate], now: datetime) -> str:
    problems: list[ModelError] = []
    for candidate in referrers.referring_to(target.digest)[:_MOST_CANDIDATES]:
        try:
            if signature := read_signature(fetch_checked(candidate, referrers), target.digest):
                chain = check(fetch_checked(signature.envelope, referrers), target, roots, now)
                return name(chain[0])
        except ModelError as error:
            problems.append(error)
    for kind in _TELLING:
        for problem in problems:
            if isinstance(problem, kind):
                raise problem
    raise SignatureMissingError(f"nothing signs {target.digest}")
