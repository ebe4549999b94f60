"""Brings the wanted model into service, and keeps the one that serves in service whatever comes of it."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from edge_common.clock import Clock
from edge_common.messages import ModelIdentity
from edge_common.tasks import together
from edge_inference.announcer import Announcer
from edge_inference.batching.batcher import Batcher
from edge_inference.desired import DesiredModel, Places, Wish
from edge_inference.errors import DowngradeError, ModelError
from edge_inference.incumbent import Incumbent
from edge_inference.ledger import Ledger
from edge_inference.loader import Loader
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.proving import Proving
from edge_inference.reporter import Reporter
from edge_inference.retuning import Retuning
from edge_inference.serving import Serving
from edge_inference.session import Plan
from edge_inference.settings import InferenceSettings
from edge_inference.status import SwapStatus
from edge_inference.store import Allowance
from edge_inference.swap import Outcome, Progress, Rejection, State, failed, refused, rolled_back, succeeded
from edge_inference.versions import is_older

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often it is looked whether the retiring model is still needed."""

Ended = Callable[[datetime, float], Outcome]

_UNASKED: Final = object()
"""No twin asks for this, so whatever the twin asks is new."""


class ModelManager:
    """One model serves; the newest wish is worked on beside it; the last one that served is the way back.

    Args:
        loader: Gets models into memory.
        serving: The models in memory.
        record: The file that names the active model.
        places: Where packages may come from.
        clock: For durations and stamps.
        reporter: Takes the reported property ``model``.
        announcer: Told when another contract is in force.
        proving: Holds candidates to their gates.
        batcher: Knows whether there is work.
        measures: Counted into.
    """

    def __init__(  # noqa: PLR0913 - the module's middle, where its parts meet
        self,
        *,
        loader: Loader,
        serving: Serving,
        record: Path,
        places: Places,
        clock: Clock,
        reporter: Reporter,
        announcer: Announcer,
        proving: Proving,
        batcher: Batcher,
        measures: Measures,
    ) -> None:
        self._loader = loader
        self._serving = serving
        self._places = places
        self._clock = clock
        self._proving = proving
        self._ledger = Ledger(record)
        known = self._ledger.record
        progress = Progress(previous=known.previous, last=known.last, rejected=known.rejected)
        self._status = SwapStatus(reporter, measures, clock, progress)
        self._incumbent = Incumbent(
            loader=loader,
            serving=serving,
            ledger=self._ledger,
            status=self._status,
            announcer=announcer,
            measures=measures,
            clock=clock,
        )
        self._retuning = Retuning(
            loader=loader, serving=serving, batcher=batcher, status=self._status, measures=measures, clock=clock
        )
        self._wished: ModelIdentity | None = None
        self._asked: Any = _UNASKED
        self._release_s = 0.0
        self._restored = asyncio.Event()
        self._work: asyncio.Task[Any] | None = None

    def configure(self, settings: InferenceSettings) -> None:
        """Take settings over. Where the models are to run elsewhere, the wish that follows is new."""
        self._release_s = settings.release_seconds
        self._loader.allowance = Allowance(settings.max_model_bytes, settings.max_store_bytes)
        self._keep_on_disk()
        self._serving.require_gpu = settings.require_gpu
        plan = Plan(settings.providers, settings.require_gpu, settings.threads)
        if plan != self._loader.plan:
            self._loader.plan = plan
            self._asked = _UNASKED

    @property
    def report(self) -> Mapping[str, Any]:
        """The reported property ``model`` as it is now."""
        return self._status.progress.reported()

    @property
    def states(self) -> Mapping[str, str]:
        """What the models are, by digest; those that are not among them matter to nobody."""
        rejected = {entry.digest: "Rejected" for entry in self._ledger.record.rejected}
        previous = {self._ledger.record.previous.digest: "Previous"} if self._ledger.record.previous else {}
        candidate = {self._status.progress.candidate.digest: "Candidate"} if self._status.progress.candidate else {}
        active = {self._serving.active.identity.digest: "Active"} if self._serving.active else {}
        return {**rejected, **previous, **candidate, **active}

    async def restore(self) -> None:
        """Put the model in service that was good last, or else the one before it. Needs no hub."""
        await self._incumbent.restore()
        self._restored.set()

    async def desire(self, value: Any, version: int) -> None:
        """The desired property ``model`` has come, new or as it was; the newest wish is the only one."""
        await self._restored.wait()
        if value == self._asked:
            self._status.show(self._status.progress.acknowledged(version))
            return
        await self._call_off()
        self._asked = value
        self._status.show(self._status.progress.asked(version, _request_id(value)))
        started = self._clock.monotonic()
        try:
            self._pursue(value, started)
        except ModelError as error:
            self._status.fail(error, started)

    async def roll_back(self) -> bool:
        """Reject what is wanted until it is asked for anew, and return to the model before it; False if there is none.

        What is still under way is called off, and the active model goes on.
        """
        await self._restored.wait()
        await self._call_off()
        good, previous, started = self._incumbent.good, self._ledger.record.previous, self._clock.monotonic()
        unfulfilled = self._wished is not None and self._wished != good
        rejected = self._wished if unfulfilled else good
        if rejected is None or (previous is None and not unfulfilled):
            return False
        await self._incumbent.reject(Rejection(rejected.digest, self._status.progress.request_id, None))
        if not unfulfilled and previous:
            ended = partial(rolled_back, None)
            self._work = asyncio.create_task(self._swap_to(Wish(previous), started, ended), name="rollback")
            await asyncio.wait([self._work])
        return True

    async def validate(self, value: Any) -> Outcome | None:
        """Do all that a swap would do up to Golden, and let the model go again; None if a swap is under way.

        Args:
            value: As the desired property ``model`` has it.
        """
        await self._restored.wait()
        if self._status.progress.candidate:
            return None
        await self._cancel()
        self._work = asyncio.create_task(self._validate(value), name="validate")
        await asyncio.wait([self._work])
        return None if self._work.cancelled() else self._work.result()

    async def run(self) -> None:
        """Let the retiring model go once it is not needed, tune the active one, and report, for ever."""
        await together(self._retire, self._retuning.run, self._status.run)

    async def drain(self) -> None:
        """Call off what is under way."""
        await self._cancel()
        await self._loader.close()

    async def _retire(self) -> None:
        while True:
            await self._clock.sleep(LOOK_S)
            if released := self._serving.release(self._clock.monotonic(), self._release_s):
                log.info("model %s %s is released", released.identity.name, released.identity.version)

    def _pursue(self, value: Any, started: float) -> None:
        wish, active = self._wish(value), self._serving.active
        self._wished = wish.identity if wish else None
        if wish is None or (active and active.identity == wish.identity and active.plan == self._loader.plan):
            self._status.show(self._status.progress.settled())
        elif rejection := self._ledger.record.rejection(wish.identity.digest, wish.request_id):
            self._status.show(self._status.progress.at(State.FAILED).ended(refused(rejection, self._clock.now())))
        else:
            self._refuse_downgrade(wish)
            self._work = asyncio.create_task(self._swap_to(wish, started, succeeded), name="swap")

    def _wish(self, value: Any) -> Wish | None:
        if value is not None:
            return DesiredModel.read(value).wish(self._places)
        return Wish(self._serving.active.identity) if self._serving.active else None

    def _refuse_downgrade(self, wish: Wish) -> None:
        good, wanted = self._incumbent.good, wish.identity
        older = good and good.name == wanted.name and is_older(wanted.version, good.version)
        if good and older and not wish.allow_downgrade:
            raise DowngradeError(f"{wanted.version} is older than {good.version}, which is active")

    async def _swap_to(self, wish: Wish, started: float, ended: Ended) -> None:
        """The way of a swap: Resolving to Golden, Shadow, the switch, Baking, and Active or RollingBack."""
        self._status.show(self._status.progress.fetching(wish.identity.digest))
        self._keep_on_disk()
        try:
            candidate = await self._loader.load(wish, self._status.step, self._incumbent.begin, self._status.come)
            await self._shadow(candidate, wish)
            await self._bake(candidate, wish)
            await self._incumbent.keep(candidate, wish, ended(self._clock.now(), self._clock.monotonic() - started))
        except ModelError as error:
            await self._undo(wish, error, started)
        else:
            await self._collect()
        finally:
            await self._ledger.end(wish.identity.digest)

    async def _collect(self) -> None:
        self._keep_on_disk()
        try:
            await self._loader.collect()
        except OSError as error:
            log.warning("models that are not needed any more stay in the store: %s", error)

    def _keep_on_disk(self) -> None:
        needed = (self._ledger.record.active, self._ledger.record.previous, self._incumbent.good, self._wished)
        keep = frozenset(identity.digest for identity in needed if identity)
        self._loader.allowance = replace(self._loader.allowance, keep=keep)

    async def _shadow(self, candidate: LoadedModel, wish: Wish) -> None:
        active = self._serving.active
        if wish.gate and wish.shadow and active:
            self._status.step(State.SHADOW)
            await self._proving.shadow(candidate, active, wish.shadow, wish.gate)

    async def _bake(self, candidate: LoadedModel, wish: Wish) -> None:
        if wish.gate and wish.gate.bake_seconds:
            before, self._serving.held = self._serving.active, True
            pace = self._incumbent.pace if wish.alone else tuple(before.pace) if before else ()
            self._incumbent.serve(candidate)
            self._status.step(State.BAKING)
            await self._proving.bake(candidate, before, pace, wish.gate)

    async def _undo(self, wish: Wish, error: ModelError, started: float) -> None:
        """The candidate was no good: the last good model serves on, or again."""
        if error.condemns:
            await self._incumbent.reject(Rejection(wish.identity.digest, wish.request_id, error.code))
        active = self._serving.active
        served = active is not None and active.identity == wish.identity != self._incumbent.good
        await self._incumbent.go_back()
        self._status.fail(error, started, rolled_back if served else failed)

    async def _validate(self, value: Any) -> Outcome:
        started, ended = self._clock.monotonic(), succeeded
        try:
            wish = DesiredModel.read(value).wish(self._places)
            try:
                await self._loader.load(
                    replace(wish, alone=False), _say_nothing, self._incumbent.begin, self._status.come
                )
            finally:
                await self._ledger.end(wish.identity.digest)
        except ModelError as error:
            ended = partial(failed, error)
        return ended(self._clock.now(), self._clock.monotonic() - started)

    async def _call_off(self) -> None:
        await self._cancel()
        await self._incumbent.go_back()

    async def _cancel(self) -> None:
        if self._work:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)


def _say_nothing(_: State) -> None:
    """A validation is no swap, so the report does not tell of it."""


def _request_id(value: Any) -> str | None:
    found = value.get("requestId") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
