"""The hub: who may connect, and what becomes of what a module publishes."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from edge_simulator.errors import MessageTooLargeError, TwinError
from edge_simulator.faults import Faults
from edge_simulator.hub import messages, topics
from edge_simulator.hub.authentication import authenticate
from edge_simulator.hub.methods import Methods
from edge_simulator.hub.monitor import Monitor
from edge_simulator.hub.routes import Routes
from edge_simulator.hub.session import ModuleSession
from edge_simulator.hub.topics import Feature
from edge_simulator.hub.twins import Twins, document
from edge_simulator.hub.upstream import Upstream
from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import RefusedError
from edge_simulator.mqtt.link import LinkState
from edge_simulator.mqtt.packets import Connect, Publish, ReturnCode
from edge_simulator.routing import (
    LOWEST_PRIORITY,
    Delivery,
    Message,
    ModuleInput,
)
from edge_simulator.store.database import Database
from edge_simulator.store.queue import UPSTREAM_MODULE, Queue
from edge_simulator.store.twins import TwinStore

HUB_MODULE: Final = "$edgeHub"

_log = logging.getLogger(__name__)


class Hub:
    """edgeHub for one device."""

    def __init__(
        self,
        device: Device,
        database: Database,
        faults: Faults,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Route by `desired`, what the deployment has for `$edgeHub`.

        Raises:
            RouteError: the routes cannot be used.
        """
        self.twins = Twins(TwinStore(database))
        self.monitor = Monitor()
        self._device = device
        self._database = database
        self._faults = faults
        self._now = now
        self._monotonic = monotonic
        self._queue = Queue(database, now)
        self._upstream = Upstream(self._queue, self.monitor, faults)
        self._sessions: dict[str, ModuleSession] = {}
        self._routes = Routes()
        self._watchers: dict[str, Callable[[], None]] = {HUB_MODULE: self._change_routes}
        self.methods = Methods(self._sessions)
        self._to_wake: set[str] = set()
        faults.watch("acks", self._end_doubt)

    # --- the deployment -----------------------------------------------------------------------------------------------

    def add_module(self, module: str, desired: Mapping[str, Any]) -> None:
        """Let a module connect, with the desired properties that its deployment gives it."""
        self.twins.deploy(module, desired)
        self._sessions[module] = ModuleSession(
            self._device.device_id,
            module,
            database=self._database,
            queue=self._queue,
            faults=self._faults,
            receive=self._receive,
            monotonic=self._monotonic,
        )

    def remove_module(self, module: str) -> None:
        """Let a module connect no more, and forget its twin and subscriptions."""
        self._sessions.pop(module).end()
        self.twins.remove(module)

    def deploy(self, desired: Mapping[str, Any]) -> None:
        """Take a deployment's desired properties for `$edgeHub`, and route by them.

        Raises:
            RouteError: the routes cannot be used.
        """
        self.twins.deploy(HUB_MODULE, desired)
        self._routes.begin(self.twins.get(HUB_MODULE))
        self._follow_routes()

    def _change_routes(self) -> None:
        self._routes.change(self.twins.get(HUB_MODULE))
        self._follow_routes()

    def _follow_routes(self) -> None:
        """Drop what is queued for endpoints that are no more."""
        self._queue.keep_only(self._routes.table.endpoints)
        self.report()
        self._upstream.wake()

    async def stored(self) -> None:
        """Wait until all changes so far are stored."""
        done = asyncio.Event()
        self._database.after_commit(done.set)
        await done.wait()

    # --- desired properties -------------------------------------------------------------------------------------------

    def watch(self, module: str, changed: Callable[[], None]) -> None:
        """Have `changed` called after each change of a module's desired properties."""
        self._watchers[module] = changed

    def set_desired(self, module: str, patch: object) -> int:
        """Change a module's desired properties, push the change to it, and return the new version.

        Raises:
            TwinError: IoT Hub would not take it.
            UnknownModuleError: there is no such module.
        """
        return self._push(module, self.twins.desire(module, patch))

    def replace_desired(self, module: str, desired: object) -> int:
        """Put others in the place of a module's desired properties, push the difference, and return the new version.

        Raises:
            TwinError: IoT Hub would not take them.
            UnknownModuleError: there is no such module.
        """
        return self._push(module, self.twins.replace_desired(module, desired))

    def _push(self, module: str, change: Mapping[str, Any]) -> int:
        version = int(change["$version"])
        if (watcher := self._watchers.get(module)) is not None:
            watcher()
        if len(change) > 1 and (session := self._sessions.get(module)) is not None:
            payload = json.dumps(change).encode()
            self._database.after_commit(lambda: session.tell(Feature.DESIRED, topics.desired_patch(version), payload))
        return version

    def send(self, target: ModuleInput, properties: Mapping[str, str], body: bytes) -> None:
        """Put a message on a module's input, with properties as they are named in topics, whatever the routes say.

        Raises:
            MessageTooLargeError: edgeHub would drop it.
        """
        message = messages.injected(properties, body)
        if messages.size(message) > messages.MAX_MESSAGE_BYTES:
            raise MessageTooLargeError(f"a message of {messages.size(message)} bytes; the limit is 256 KiB")
        self._store(message, Delivery(target, LOWEST_PRIORITY, None))

    @property
    def modules(self) -> Collection[str]:
        """The modules that may connect."""
        return self._sessions.keys()

    # --- figures ------------------------------------------------------------------------------------------------------

    def connected(self) -> Iterable[str]:
        """Return the modules that have a connection."""
        return [module for module, session in self._sessions.items() if session.connected]

    def queued(self) -> dict[tuple[str, str], int]:
        """Return how many messages wait for each (module, input)."""
        return self._queue.counts()

    # --- from time to time --------------------------------------------------------------------------------------------

    def resend_overdue(self) -> None:
        """Send again what modules have not acknowledged in time."""
        for session in self._sessions.values():
            session.resend_overdue()

    def close_expired(self) -> None:
        """Cut off the modules whose token has expired since they connected."""
        now = self._now()
        for session in self._sessions.values():
            session.close_expired(now)

    def report(self) -> None:
        """Report as `$edgeHub`."""
        device = self._device
        connected = {device.client_id(module): session.connected for module, session in self._sessions.items()}
        self.twins.report_all(HUB_MODULE, self._routes.report(connected=connected))

    def remove_expired(self) -> None:
        """Forget the queued messages whose time is over."""
        self._queue.remove_expired()

    def _end_doubt(self, module: str) -> None:
        if (session := self._sessions.get(module)) is not None:
            session.end_doubt()

    # --- clients ------------------------------------------------------------------------------------------------------

    def link(self, client_id: str) -> LinkState:
        """Return what the network does to a client's connections."""
        match self._faults.link(client_id.removeprefix(self._device.client_id(""))):
            case None:
                return LinkState.OPEN
            case "drop":
                return LinkState.SILENT
            case "reject":
                return LinkState.REJECTING

    def open_session(self, packet: Connect) -> ModuleSession:
        """Return the session of the module that connects.

        Raises:
            RefusedError: it is none of the device's modules, or cannot prove it.
        """
        proof = authenticate(packet, self._device, self._now())
        session = self._sessions.get(proof.module)
        if session is None:
            raise RefusedError(ReturnCode.NOT_AUTHORIZED, f"the deployment has no module {proof.module!r}")
        session.begin(clean=packet.clean_session, proven_until=proof.until)
        return session

    def _receive(self, session: ModuleSession, packet: Publish) -> None:
        bag = topics.property_bag(packet.topic, self._device.device_id, session.module)
        if bag is not None:
            self._telemetry(messages.telemetry(self._device.device_id, session.module, bag, packet.payload))
        elif packet.topic.startswith(topics.TWIN_GET):
            self._send_twin(session, packet)
        elif packet.topic.startswith(topics.TWIN_REPORT):
            self._report(session, packet)
        elif packet.topic.startswith(topics.METHOD_RESPONSE):
            self.methods.answer(session.module, packet.topic, packet.payload)
        else:
            _log.warning("%s published to %s, which means nothing here: dropped", session, packet.topic)

    def _telemetry(self, message: Message) -> None:
        size = messages.size(message)
        if size > messages.MAX_MESSAGE_BYTES:
            _log.error("dropped a message of %d bytes from %s: over 256 KiB", size, message.source)
            return
        self._forward(message, stored=message)

    def _forward(self, message: Message, *, stored: Message) -> None:
        """Store a message for every endpoint that its routes lead to, and wake these once it is safe."""
        for delivery in self._routes.table.deliveries(message):
            self._store(stored, delivery)

    def _store(self, message: Message, delivery: Delivery) -> None:
        module = delivery.endpoint.module if isinstance(delivery.endpoint, ModuleInput) else UPSTREAM_MODULE
        ttl_s = self._routes.table.time_to_live_s if delivery.ttl_s is None else delivery.ttl_s
        for _ in range(self._faults.copies(module)):
            self._queue.put(message, delivery, 0 if self._faults.expires(module) else ttl_s)
        self._wake_later(module)

    def _wake_later(self, module: str) -> None:
        if not self._to_wake:
            self._database.after_commit(self._wake_soon)
        self._to_wake.add(module)

    def _wake_soon(self) -> None:
        """Leave the turn to the acknowledgements: the sender is quicker for it."""
        asyncio.get_running_loop().call_soon(self._wake)

    def _wake(self) -> None:
        modules, self._to_wake = self._to_wake, set()
        for module in modules:
            if module == UPSTREAM_MODULE:
                self._upstream.wake()
            elif (session := self._sessions.get(module)) is not None:
                session.wake()

    # --- twins --------------------------------------------------------------------------------------------------------

    def _send_twin(self, session: ModuleSession, packet: Publish) -> None:
        if (rid := topics.request_id(packet.topic)) is not None:
            twin = json.dumps(document(self.twins.get(session.module))).encode()
            session.tell(Feature.TWIN_RESPONSES, topics.twin_response(200, rid), twin)

    def _report(self, session: ModuleSession, packet: Publish) -> None:
        rid = topics.request_id(packet.topic)
        status = self._take_report(session.module, packet.payload)
        if rid is not None:
            answer = topics.twin_response(status, rid)
            self._database.after_commit(lambda: session.tell(Feature.TWIN_RESPONSES, answer, b""))

    def _take_report(self, module: str, payload: bytes) -> int:
        try:
            patch = self.twins.report(module, json.loads(payload))
        except (TwinError, ValueError, RecursionError) as error:
            _log.warning("refused the reported properties of %s: %s", module, error)
            return 400
        self.monitor.reported(module, patch)
        by_module = messages.twin_change(self._device.device_id, module, payload)
        by_hub = messages.twin_change(self._device.device_id, HUB_MODULE, payload)
        self._forward(by_hub, stored=by_module)
        return 204
