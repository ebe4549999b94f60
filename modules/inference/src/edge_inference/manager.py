"""Brings the wanted model into service, and keeps the one that serves in service whatever comes of it."""

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edge_common.clock import Clock
from edge_common.messages import ModelIdentity
from edge_inference.announcer import Announcer
from edge_inference.desired import DesiredModel, Places
from edge_inference.errors import BadDesiredError, ModelError
from edge_inference.loader import Loader
from edge_inference.measures import Measures
from edge_inference.model import LoadedModel
from edge_inference.record import Record, read_record
from edge_inference.reporter import Reporter
from edge_inference.serving import Serving
from edge_inference.session import Plan
from edge_inference.settings import InferenceSettings
from edge_inference.sources import ModelSource
from edge_inference.store import Allowance
from edge_inference.swap import Progress, State, failed, succeeded

log = logging.getLogger(__name__)

LOOK_S: Final = 1.0
"""How often it is looked whether the retiring model is still needed."""

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
        measures: Measures,
    ) -> None:
        self._loader = loader
        self._serving = serving
        self._path = record
        self._places = places
        self._clock = clock
        self._reporter = reporter
        self._announcer = announcer
        self._measures = measures
        self._record = read_record(record)
        self._progress = Progress(previous=self._record.previous, last=self._record.last)
        self._asked: Any = _UNASKED
        self._release_s = 0.0
        self._restored = asyncio.Event()
        self._swap: asyncio.Task[None] | None = None

    def configure(self, settings: InferenceSettings) -> None:
        """Take settings over. Where the models are to run elsewhere, the wish that follows is new."""
        self._release_s = settings.release_seconds
        self._loader.allowance = Allowance(settings.max_model_bytes, settings.max_store_bytes, self._kept())
        self._serving.require_gpu = settings.require_gpu
        plan = Plan(settings.providers, settings.require_gpu)
        if plan != self._loader.plan:
            self._loader.plan = plan
            self._asked = _UNASKED

    async def restore(self) -> None:
        """Put the model in service that was active last, or else the one before it. Needs no hub."""
        for identity in filter(None, (self._record.active, self._record.previous)):
            started = self._clock.monotonic()
            try:
                self._serve(await self._loader.load(identity, None, self._step))
                break
            except ModelError as error:
                self._fail(error, started)
        self._restored.set()

    async def desire(self, value: Any, version: int) -> None:
        """The desired property ``model`` has come, new or as it was; the newest wish is the only one."""
        await self._restored.wait()
        if value == self._asked:
            self._show(self._progress.acknowledged(version))
            return
        await self._call_off()
        self._asked = value
        self._show(self._progress.asked(version, _request_id(value)))
        started = self._clock.monotonic()
        try:
            self._pursue(value, started)
        except BadDesiredError as error:
            self._fail(error, started)

    async def run(self) -> None:
        """Let the retiring model go once it is not needed, for ever."""
        while True:
            await self._clock.sleep(LOOK_S)
            if released := self._serving.release(self._clock.monotonic(), self._release_s):
                log.info("model %s %s is released", released.identity.name, released.identity.version)

    async def drain(self) -> None:
        """Call off what is under way."""
        await self._call_off()
        await self._loader.close()

    def _pursue(self, value: Any, started: float) -> None:
        active = self._serving.active
        wanted = active.identity if active else None
        source: ModelSource | None = None
        if value is not None:
            desired = DesiredModel.read(value)
            wanted, source = desired.identity, desired.source(self._places)
        if wanted is None or (active and active.identity == wanted and active.plan == self._loader.plan):
            self._show(self._progress.settled())
        else:
            self._swap = asyncio.create_task(self._swap_to(wanted, source, started), name="swap")

    async def _swap_to(self, wanted: ModelIdentity, source: ModelSource | None, started: float) -> None:
        try:
            model = await self._loader.load(wanted, source, self._step)
            self._activate(model, started)
        except ModelError as error:
            self._fail(error, started)
        else:
            await self._collect()

    def _activate(self, model: LoadedModel, started: float) -> None:
        """Without a pause in it, so that what is recorded and what serves cannot differ."""
        outcome = succeeded(self._clock.now(), self._clock.monotonic() - started)
        before = self._serving.active.identity if self._serving.active else self._record.active
        previous = self._record.previous if before == model.identity else before
        record = Record(active=model.identity, previous=previous, last=outcome)
        record.save(self._path)
        self._record = record
        self._loader.allowance = replace(self._loader.allowance, keep=self._kept())
        self._serve(model)
        self._show(self._progress.ended(outcome))
        self._measures.swaps.labels(outcome.result).inc()

    async def _collect(self) -> None:
        try:
            await self._loader.collect()
        except OSError as error:
            log.warning("models that are not needed any more stay in the store: %s", error)

    def _kept(self) -> frozenset[str]:
        return frozenset(model.digest for model in (self._record.active, self._record.previous) if model)

    def _serve(self, model: LoadedModel) -> None:
        self._serving.activate(model, self._clock.monotonic())
        self._measures.serving(model)
        self._show(self._progress.serving(model, self._record.previous))
        self._announcer.soon()
        identity, providers = model.identity, ", ".join(model.session.providers)
        log.info("model %s %s (%s) is active on %s", identity.name, identity.version, identity.digest, providers)

    def _fail(self, error: ModelError, started: float) -> None:
        log.error("the model could not be put in service: %s: %s", error.code, error)
        self._measures.swaps.labels(error.code).inc()
        outcome = failed(error, self._clock.now(), self._clock.monotonic() - started)
        self._show(self._progress.at(State.FAILED).ended(outcome))

    async def _call_off(self) -> None:
        if self._swap:
            self._swap.cancel()
            await asyncio.gather(self._swap, return_exceptions=True)

    def _step(self, state: State) -> None:
        self._show(self._progress.at(state))

    def _show(self, progress: Progress) -> None:
        self._progress = progress
        self._reporter.show(progress.reported())


def _request_id(value: Any) -> str | None:
    found = value.get("requestId") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
