"""From a source to a model in memory, step by step; what blocks runs in one thread of its own."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from edge_common.background import background
from edge_common.contract import Contract
from edge_common.messages import ModelIdentity
from edge_inference.desired import Wish
from edge_inference.errors import BadDesiredError, DigestMismatchError, LoadFailedError, ModelError
from edge_inference.golden import run_golden
from edge_inference.memory import check_memory, free_memory, needed_memory
from edge_inference.model import LoadedModel, load_model, verify
from edge_inference.optimised import Optimised
from edge_inference.patience import Pause
from edge_inference.serving import Serving
from edge_inference.session import Opener, Plan
from edge_inference.signing.notary import Notary
from edge_inference.store import Allowance, ModelStore
from edge_inference.swap import State
from edge_inference.tuning.tuner import Tuner

log = logging.getLogger(__name__)

T = TypeVar("T")
Step = Callable[[State], None]
Come = Callable[[str, int], None]
Stop = Callable[[], bool]
Begin = Callable[[Wish], Awaitable[None]]


def _never() -> bool:
    return False


class CalledOff(Exception):  # noqa: N818 - no error: somebody wanted it
    """Ends the thread's work of a load that was cancelled."""


class Loader:
    """Loads models beside those that serve.

    Args:
        store: The module's own models.
        serving: The models in memory.
        notary: Judges what is not in service yet.
        open_session: What loads graphs.
        tuner: Finds out how they run best.

    Attributes:
        plan: What models are to run on.
        allowance: How much the store may take.
    """

    def __init__(self, store: ModelStore, serving: Serving, notary: Notary, open_session: Opener, tuner: Tuner) -> None:
        self._store = store
        self._serving = serving
        self._notary = notary
        self._open_session = open_session
        self._tuner = tuner
        self._thread = background("loader")
        self._optimised = Optimised(store, self._thread)
        self.plan = Plan((), require_gpu=False)
        self.allowance = Allowance(0, 0)

    async def load(self, wish: Wish, step: Step, begin: Begin, come: Come) -> LoadedModel:
        """A model, warm, that gives its package's examples. Cancelling calls the work off at the next chance.

        Args:
            wish: Which one, and where from.
            step: Told how far it is.
            begin: Called when it was verified, before any of it is loaded.
            come: Told the digest, and how many of a hundred parts of it are here.

        Raises:
            ModelError: It cannot be had.
        """
        off = threading.Event()

        def pause(seconds: float) -> None:
            if off.wait(seconds):
                raise CalledOff

        try:
            return await self._load(wish, step, begin, come, pause)
        except ModelError:
            raise
        except Exception as error:
            log.exception("a model could not be loaded, for a reason that was not foreseen")
            raise LoadFailedError(f"{type(error).__name__}: {error}") from error
        finally:
            off.set()

    async def tune(self, model: LoadedModel, stop: Stop = _never) -> LoadedModel:
        """The model as it runs best, which is measured now unless it is known.

        Args:
            model: Warm.
            stop: Says when there is other work.

        Returns:
            The model as it was, too, if there is other work, or it cannot be measured.
        """
        off = threading.Event()
        try:
            room = await self._room(model.identity)
            tuned = partial(self._tuner.tune, model, room=room, stop=lambda: off.is_set() or stop())
            return await self._do(tuned)
        except Exception:
            log.exception("a model could not be tuned, for a reason that was not foreseen; it runs as it is")
            return model
        finally:
            off.set()

    async def collect(self) -> None:
        """Remove from the store what its allowance does not keep.

        Raises:
            OSError: The disk refuses.
        """
        await self._do(self._store.collect, self.allowance.keep)

    async def close(self) -> None:
        """Wait for what the thread has in hand."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _load(self, wish: Wish, step: Step, begin: Begin, come: Come, pause: Pause) -> LoadedModel:
        wanted, source = wish.identity, wish.source
        step(State.RESOLVING)
        if loaded := self._serving.loaded(wanted.digest, self.plan):
            _check_identity(wanted, loaded.identity)
            return loaded
        if not await self._do(self._store.holds, wanted.digest):
            if source is None:
                raise DigestMismatchError(f"{wanted.name} {wanted.version} in the model store is damaged or gone")
            step(State.DOWNLOADING)
            await self._do(self._store.admit, wanted, source, self.allowance, pause, _on_loop(come, wanted.digest))
        step(State.VERIFYING)
        if source:
            await self._do(self._notary.judge, self._store.pinned(wanted.digest), source.referrers, pause)
        _check_identity(wanted, self._store.identity(wanted.digest))
        folder = self._store.files(wanted.digest)
        contract = await self._do(verify, folder)
        await begin(wish)
        step(State.LOADING)
        self._serving.make_room()
        await self._do(check_memory, folder, free_memory())
        model = await self._open(wanted, folder, contract)
        step(State.WARMING)
        model = await self._do(partial(self._tuner.fit, model, room=await self._room(wanted)))
        await self._do(model.warm_up)
        if self._serving.active is None and not wish.alone:
            model = await self.tune(model)
        if wish.gate:
            step(State.GOLDEN)
            await self._do(run_golden, model, folder, wish.gate.golden_min_agreement)
        return model

    async def _open(self, wanted: ModelIdentity, folder: Path, contract: Contract) -> LoadedModel:
        """From the optimised graph, if there is one and it can be loaded."""
        about = (folder, wanted, contract, self._open_session, self.plan)
        graph = await self._optimised.graph(wanted.digest, self.plan.providers, self.allowance)
        if graph:
            try:
                return await self._do(load_model, *about, graph)
            except ModelError as error:
                log.warning("the optimised graph of %s is of no use: %s", wanted.digest, error)
                await self._optimised.discard(wanted.digest)
        return await self._do(load_model, *about)

    async def _room(self, identity: ModelIdentity) -> int:
        """How many times more a model can be loaded before memory ends."""
        return await self._do(_times, self._store.files(identity.digest))

    async def _do(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _times(folder: Path) -> int:
    return free_memory() // needed_memory(folder)


def _on_loop(come: Come, digest: str) -> Callable[[int], None]:
    """What the thread may call."""
    loop = asyncio.get_running_loop()

    def tell(percent: int) -> None:
        loop.call_soon_threadsafe(come, digest, percent)

    return tell


def _check_identity(wanted: ModelIdentity, found: ModelIdentity) -> None:
    if wanted != found:
        raise BadDesiredError(
            f"the package is {found.name} {found.version}, not {wanted.name} {wanted.version} as the twin says"
        )
