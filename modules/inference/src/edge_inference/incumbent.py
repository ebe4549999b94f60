"""The model in service, and the way back to the last good one."""

import logging
from collections.abc import Iterable, Sequence

from edge_common.clock import Clock
from edge_common.messages import ModelIdentity
from edge_inference.announcer import Announcer
from edge_inference.desired import Wish
from edge_inference.errors import CrashLoopError, ModelError
from edge_inference.ledger import Ledger
from edge_inference.loader import Loader
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.serving import Serving
from edge_inference.status import SwapStatus
from edge_inference.swap import Outcome, Rejection, State
from edge_inference.undivided import undivided

log = logging.getLogger(__name__)


class Incumbent:
    """Puts models in service, remembers the last good one, and returns to it.

    Args:
        loader: Gets models into memory.
        serving: The models in memory.
        ledger: What a restart must know.
        status: Told of each step.
        announcer: Told when another contract is in force.
        measures: Counted into.
        clock: For durations.

    Attributes:
        good: The last good model; one that bakes is not yet.
        pace: Seconds a sample, of the model that made way for one that must be alone.
    """

    def __init__(
        self,
        *,
        loader: Loader,
        serving: Serving,
        ledger: Ledger,
        status: SwapStatus,
        announcer: Announcer,
        measures: Measures,
        clock: Clock,
    ) -> None:
        self._loader = loader
        self._serving = serving
        self._ledger = ledger
        self._status = status
        self._announcer = announcer
        self._measures = measures
        self._clock = clock
        self.good: ModelIdentity | None = None
        self.pace: Sequence[float] = ()

    async def restore(self) -> None:
        """Put the model in service that was good last, or else the one before it. Needs no hub."""
        await self._revive((self._ledger.record.active, self._ledger.record.previous))

    async def begin(self, wish: Wish) -> None:
        """Loading begins, which is noted; where memory holds only one model, the one in service makes way.

        Raises:
            CrashLoopError: That took the process down too often.
        """
        await self._ledger.begin(wish.identity.digest)
        if self._status.progress.candidate:
            self._status.show(self._status.progress.fetching(wish.identity.digest, 100))
        if wish.alone and self._serving.active:
            self.pace = tuple(self._serving.active.pace)
            self._serving.clear()
            self._status.show(self._status.progress.bare())

    def serve(self, model: LoadedModel) -> None:
        """This model answers from now on."""
        self._serving.activate(model, self._clock.monotonic())
        self._measures.serving(model)
        self._status.show(self._status.progress.serving(model, self._ledger.record.previous))
        self._announcer.soon()
        identity, providers = model.identity, ", ".join(model.session.providers)
        log.info("model %s %s (%s) is active on %s", identity.name, identity.version, identity.digest, providers)

    async def keep(self, model: LoadedModel, wish: Wish, outcome: Outcome) -> None:
        """This model, which may have baked, serves and is the last good one from now on.

        It is recorded first; nothing cancels that, so what is recorded and what serves cannot differ.

        Raises:
            NoSpaceError: That cannot be recorded.
        """
        await undivided(self._keep(model, wish, outcome))

    async def go_back(self) -> None:
        """Let the last good model serve, unless it does."""
        self._serving.held = False
        active = self._serving.active
        if (active.identity if active else None) == self.good:
            return
        self._status.step(State.ROLLING_BACK)
        if self.good:
            await self._revive((self.good, self._ledger.record.previous))
            self._serving.make_room()
        else:
            self._serving.clear()
            self._status.show(self._status.progress.bare())

    async def reject(self, entry: Rejection) -> None:
        """A package is not tried again under its request."""
        await self._ledger.reject(entry)
        self._status.show(self._status.progress.rejecting(self._ledger.record.rejected))

    async def _keep(self, model: LoadedModel, wish: Wish, outcome: Outcome) -> None:
        before = self.good or self._ledger.record.active
        previous = self._ledger.record.previous if before == model.identity else before
        changes = {"active": model.identity, "previous": previous, "last": outcome, "request_id": wish.request_id}
        record = self._ledger.record.forgiving(model.identity.digest).ended(model.identity.digest)
        await self._ledger.keep(record.model_copy(update=changes))
        self.good, self._serving.held = model.identity, False
        if self._serving.active is not model:
            self.serve(model)
        progress = self._status.progress.serving(model, previous).rejecting(self._ledger.record.rejected)
        self._status.show(progress.ended(outcome))
        self._measures.swaps.labels(outcome.result).inc()

    async def _revive(self, identities: Iterable[ModelIdentity | None]) -> None:
        """Let the first of these serve that can; they have served before."""
        request_id = self._ledger.record.request_id
        for wish in [Wish(identity, request_id=request_id) for identity in identities if identity]:
            started = self._clock.monotonic()
            try:
                self.serve(await self._loader.load(wish, self._status.step, self.begin, self._status.come))
            except ModelError as error:
                if isinstance(error, CrashLoopError):
                    await self.reject(Rejection(wish.identity.digest, wish.request_id, error.code))
                self._status.fail(error, started)
            else:
                self.good = wish.identity
                break
            finally:
                await self._ledger.end(wish.identity.digest)
