"""How a module lives: settings, hub, inbox, work, and a clean end within the stop timeout.

A module's ``__main__`` hands :func:`run_module` a function that wires it; everything that is alike in all modules is
here.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Final, Generic, TypeVar

from edge_common.azure_hub import AzureHub
from edge_common.clock import Clock, SystemClock
from edge_common.errors import (
    ConfigurationError,
    EdgeError,
    HubRefusedError,
    HubStuckError,
    MalformedMessageError,
    StuckError,
)
from edge_common.hub import Handlers, Hub, Method, Received
from edge_common.logs import configure_logging
from edge_common.metrics import Metrics, MetricsServer
from edge_common.settings import Environment, TwinSettings, read_environment
from edge_common.twin import SettingsKeeper

log = logging.getLogger(__name__)

INBOX: Final = 1000
"""Messages waiting to be handled. The window keeps it far below; what overflows is dropped, and the ledger resends."""

DRAIN_S: Final = 8.0
"""IoT Edge kills a module 10 s after asking it to stop."""

EXIT_CONFIGURATION: Final = 78
"""``EX_CONFIG`` of BSD's sysexits."""

S = TypeVar("S", bound=TwinSettings)
E = TypeVar("E", bound=Environment)


async def _nothing() -> None:
    pass


def _edge_hub(_: Environment) -> Hub:
    return AzureHub.from_edge_environment()


@dataclass(frozen=True)
class Wiring(Generic[S]):
    """What a module is, as the lifecycle sees it.

    Attributes:
        inputs: What handles a message, by input. May raise MalformedMessageError, which is counted and logged.
        run: The module's work; it ends when it is cancelled, and only then.
        configure: Called with the settings in force, before ``run`` and at each change.
        drain: Called after ``run`` has ended: finish what is in hand, close what is open.
        methods: Direct methods beside ``ping``.
        sections: Handlers of desired properties with a life of their own; called with the value (None if absent) and
            the version of the desired properties.
    """

    inputs: Mapping[str, Callable[[Received], Awaitable[None]]]
    run: Callable[[], Coroutine[Any, Any, None]]
    configure: Callable[[S], Awaitable[None]]
    drain: Callable[[], Awaitable[None]] = _nothing
    methods: Mapping[str, Method] = field(default_factory=dict)
    sections: Mapping[str, Callable[[Any, int], Awaitable[None]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Surroundings(Generic[E]):
    """What a module is given to be wired with."""

    environment: E
    hub: Hub
    clock: Clock
    metrics: Metrics


class Module(Generic[S]):
    """One module's life, between a hub and a wiring.

    Args:
        wiring: The module.
        keeper: Its settings.
        hub: The connection, not yet started.
        metrics: Counted into.
        about: The reported property ``status``, less its ``state``.
    """

    def __init__(
        self, wiring: Wiring[S], keeper: SettingsKeeper[S], hub: Hub, metrics: Metrics, about: Mapping[str, Any]
    ) -> None:
        self._wiring = wiring
        self._keeper = keeper
        self._hub = hub
        self._metrics = metrics
        self._about = about
        self._inbox: asyncio.Queue[Received] = asyncio.Queue(INBOX)
        self._twins: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()

    async def live(self, stop: asyncio.Event) -> None:
        """Work until told to stop, then drain.

        Raises:
            HubStuckError: The hub's client hangs, or draining did not end in time.
            Exception: The module's work failed; IoT Edge restarts it.
        """
        await self._wiring.configure(self._keeper.settings)
        await self._hub.start(Handlers(self._receive, self._twins.put_nowait, self._methods()))
        work = [
            asyncio.create_task(self._wiring.run(), name="work"),
            asyncio.create_task(self._handle_messages(), name="inbox"),
            asyncio.create_task(self._handle_twins(), name="twin"),
            asyncio.create_task(self._report({"status": {"state": "running", **self._about}}), name="status"),
        ]
        stopping = asyncio.create_task(stop.wait(), name="stop")
        try:
            await _first_failure_or(stopping, work)
        finally:
            await _cancel([*work, stopping])
            await self._end()

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._wiring.drain()
                if self._hub.connected:
                    await self._report({"status": {"state": "stopped", **self._about}})
                await self._hub.close()
        except TimeoutError:
            raise HubStuckError(
                f"draining took longer than {DRAIN_S:.0f} s; the rest is left to the next start"
            ) from None

    def _methods(self) -> dict[str, Method]:
        async def ping(_: Any) -> tuple[int, Any]:
            return 200, {"status": "ok", **self._about}

        return {"ping": ping, **self._wiring.methods}

    def _receive(self, message: Received) -> None:
        self._metrics.received.labels(message.input).inc()
        try:
            self._inbox.put_nowait(message)
        except asyncio.QueueFull:
            self._metrics.dropped.labels(message.input).inc()

    async def _handle_messages(self) -> None:
        while True:
            message = await self._inbox.get()
            handle = self._wiring.inputs.get(message.input)
            try:
                if handle is None:
                    raise MalformedMessageError(f"there is no input {message.input!r}")
                await handle(message)
            except MalformedMessageError as error:
                self._metrics.malformed.labels(message.input).inc()
                log.warning("a message on %s is dropped: %s", message.input, error)

    async def _handle_twins(self) -> None:
        while True:
            desired = await self._twins.get()
            before = self._keeper.settings
            await self._report({"config": self._keeper.offer(desired)})
            if self._keeper.settings != before:
                log.info("settings of version %s are in force", desired.get("$version"))
                await self._wiring.configure(self._keeper.settings)
            for name, handle in self._wiring.sections.items():
                await handle(desired.get(name), desired.get("$version", 0))

    async def _report(self, patch: Mapping[str, Any]) -> None:
        try:
            await self._hub.report(patch)
        except HubRefusedError as error:
            log.error("reported properties were not taken: %s", error)


async def _first_failure_or(stopping: asyncio.Task[Any], work: list[asyncio.Task[Any]]) -> None:
    """Wait until told to stop; raise what any of the work raises meanwhile."""
    pending = {stopping, *work}
    while not stopping.done():
        done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _cancel(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def run_module(
    name: str,
    environment: type[E],
    settings: type[S],
    wire: Callable[[Surroundings[E]], Wiring[S]],
    connect: Callable[[E], Hub] = _edge_hub,
) -> None:
    """Run a module in this process until SIGTERM or SIGINT; exits the process.

    Args:
        name: The module's name, as in its package ``edge_<name>``.
        environment: Its environment settings.
        settings: Its twin settings.
        wire: Builds the module; called within the event loop.
        connect: Gives the hub; called within the event loop, before.
    """
    try:
        env = read_environment(environment)
    except ConfigurationError as error:
        sys.stderr.write(f"edge-{name}: {error}\n")
        sys.exit(EXIT_CONFIGURATION)
    configure_logging(env.log_level)
    try:
        asyncio.run(_serve(name, env, settings, wire, connect))
    except EdgeError as error:
        log.critical("%s cannot run: %s", name, error)
        sys.exit(EXIT_CONFIGURATION if isinstance(error, ConfigurationError) else 1)


async def _serve(
    name: str,
    env: E,
    settings: type[S],
    wire: Callable[[Surroundings[E]], Wiring[S]],
    connect: Callable[[E], Hub],
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    about = {"module": name, "version": version(f"edge-{name}")}
    log.info("%s %s starts", name, about["version"])
    env.state_dir.mkdir(parents=True, exist_ok=True)
    metrics = Metrics()
    server = MetricsServer(metrics, env.metrics_address, env.metrics_port)
    try:
        hub = connect(env)
        wiring = wire(Surroundings(env, hub, SystemClock(), metrics))
        keeper = SettingsKeeper(settings, env.state_dir / "settings.json", frozenset(wiring.sections))
        gc.freeze()  # what was imported and wired stays: the collector need not go through it again and again
        await Module(wiring, keeper, hub, metrics, about).live(stop)
    except* StuckError as stuck:
        log.critical("%s ends: %s", name, "; ".join(map(str, _leaves(stuck))))
        # Threads may hang for ever, and Python would wait for them. What matters is on disk already.
        logging.shutdown()
        os._exit(1)
    finally:
        server.close()
    log.info("%s has stopped", name)
