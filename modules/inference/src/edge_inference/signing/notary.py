"""One call says whether a package may be used, as the deployment's policy has it."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge_inference.errors import ModelError
from edge_inference.layout import attach
from edge_inference.package import Descriptor
from edge_inference.patience import Patience, Pause
from edge_inference.signing.local import LayoutReferrers
from edge_inference.signing.manifest import Signature
from edge_inference.signing.referrers import Referrers
from edge_inference.signing.trust import Trust, TrustPolicy
from edge_inference.signing.verify import verify

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes:
        signer: Whose good signature the package has; empty if none, or if nobody looked.
        problem: What is wrong, and passed over as the policy says.
    """

    signer: str = ""
    problem: ModelError | None = None


class Notary:
    """Judges packages. Methods block.

    Args:
        trust: Whom to trust, and how far.
        kept: A layout of its own, which it makes: good signatures stay there, so that a package which is in the store
            can be used again while its source is away. They are verified anew each time.
        now: The time.
        patience: With sources that break off.
    """

    def __init__(self, trust: Trust, kept: Path, now: Callable[[], datetime], patience: Patience | None = None) -> None:
        self._trust = trust
        self._kept = kept
        self._now = now
        self._patience = patience or Patience()

    def judge(self, target: Descriptor, referrers: Referrers, pause: Pause) -> Verdict:
        """Whether a package may be used.

        Args:
            target: Its manifest, as it was pinned.
            referrers: Where its signatures are.
            pause: Waits between attempts; raises to end them.

        Raises:
            ModelError: It may not: the policy is strict, and there is no good signature, or it cannot be had.
        """
        if self._trust.policy is TrustPolicy.OFF:
            return Verdict()
        try:
            return Verdict(signer=self._signer(target, referrers, pause))
        except ModelError as error:
            if self._trust.policy is TrustPolicy.STRICT:
                raise
            log.warning("%s is used all the same, as TRUST_POLICY=audit says: %s: %s", target.digest, error.code, error)
            return Verdict(problem=error)

    def _signer(self, target: Descriptor, referrers: Referrers, pause: Pause) -> str:
        roots = self._trust.pinned()
        with suppress(ModelError):  # none is kept, or it is good no more: the source may have another
            return verify(target, LayoutReferrers(self._kept), roots, self._now()).signer
        found = self._patience.persist(lambda: verify(target, referrers, roots, self._now()), pause)
        self._keep(found.signature)
        return found.signer

    def _keep(self, signature: Signature) -> None:
        try:
            attach(self._kept, signature)
        except OSError as error:
            log.warning("the model's signature could not be kept: %s", error)
