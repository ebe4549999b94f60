"""A module's session: its subscriptions, the messages under way to it, and its connection while it has one."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from edge_simulator.faults import Faults, Lane
from edge_simulator.hub import messages, topics
from edge_simulator.hub.topics import Feature
from edge_simulator.mqtt.packets import PubAck, Publish, SubAck, Subscribe, UnsubAck, Unsubscribe
from edge_simulator.store.database import Database
from edge_simulator.store.queue import Queue, Queued
from edge_simulator.store.sessions import Subscriptions

if TYPE_CHECKING:
    from edge_simulator.mqtt.connection import Connection

WINDOW: Final = 64
ACK_TIMEOUT_S: Final = 30
_HIGHEST_PACKET_ID: Final = 65_535
_LONGEST_TOPIC: Final = 65_535

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _UnderWay:
    row: int
    packet: Publish
    sent_at: float


class ModuleSession:
    """Delivers what the queue holds for one module, at least once and at most `WINDOW` messages at a time."""

    def __init__(
        self,
        device_id: str,
        module: str,
        *,
        database: Database,
        queue: Queue,
        faults: Faults,
        receive: Callable[["ModuleSession", Publish], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.module = module
        self._device_id = device_id
        self._client_id = f"{device_id}/{module}"
        self._queue = queue
        self._subscriptions = Subscriptions(database)
        self._faults = faults
        self._to_module = Lane()
        self._acknowledging = Lane()
        self._acknowledged = Lane()
        self._unconfirmed = False
        self._receive = receive
        self._after_commit = database.after_commit
        self._monotonic = monotonic
        self._filters = self._subscriptions.of(self._client_id)
        self._features = _features(self._filters)
        self._under_way: dict[int, _UnderWay] = {}
        self._to_acknowledge: list[PubAck] = []
        self._connection: Connection | None = None
        self._last_packet_id = 0
        self._clean = False
        self._proven_until = 0.0
        self._more_queued = True
        self._changed = asyncio.Event()

    def __str__(self) -> str:
        return self._client_id

    @property
    def connected(self) -> bool:
        """Whether the module has a connection."""
        return self._connection is not None

    @property
    def present(self) -> bool:
        """Whether there is anything here that a reconnecting client finds again."""
        return bool(self._filters or self._under_way)

    def listens_to(self, feature: Feature) -> bool:
        """Say whether the module has a connection, and has subscribed to a feature."""
        return self._connection is not None and feature in self._features

    async def until_listening(self, feature: Feature) -> None:
        """Wait until the module listens to a feature."""
        while not self.listens_to(feature):
            await self._changed.wait()

    def _tell_change(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    # --- the connection -----------------------------------------------------------------------------------------------

    def begin(self, *, clean: bool, proven_until: float) -> None:
        """Go on from the connection before, unless either is a clean session.

        Whose session it is, is proven until then, in seconds since the epoch.
        """
        self._proven_until = proven_until
        if clean or self._clean:
            self._begin_afresh()
        self._clean = clean

    def _begin_afresh(self) -> None:
        self._subscriptions.clear(self._client_id)
        self._filters.clear()
        self._features.clear()
        self._under_way.clear()
        self._more_queued = True

    def attach(self, connection: "Connection") -> None:
        """Take over the connection from an earlier one, and go on with what was under way."""
        earlier, self._connection = self._connection, connection
        self._to_acknowledge.clear()
        if earlier is not None:
            _log.info("%s has connected again: closing its earlier connection", self)
            earlier.close()
        self._tell_change()
        self._resend(older_than_s=0)
        self._pump()

    def detach(self, connection: "Connection") -> None:
        """Note that the connection has gone."""
        if self._connection is connection:
            self._connection = None

    def close_expired(self, now: float) -> None:
        """Cut the module off once its token has expired, as edgeHub does; it comes again with another one."""
        if self._connection is not None and self._proven_until < now:
            _log.warning("closing the connection of %s: its token has expired", self)
            self._connection.abort()

    def end(self) -> None:
        """Forget the module, and let its connection go."""
        if self._connection is not None:
            self._connection.close()
        self._begin_afresh()

    # --- packets from the module --------------------------------------------------------------------------------------

    def publish(self, packet: Publish) -> None:
        """Hand the message to the hub, and acknowledge it once all that it caused is stored."""
        self._receive(self, packet)
        if packet.qos:
            self._to_acknowledge.append(PubAck(packet.packet_id))
            if len(self._to_acknowledge) == 1:
                self._after_commit(self._send_acknowledgements)

    def acknowledge(self, packet_id: int) -> None:
        """Forget the message, unless the acknowledgement is lost on its way; others may follow."""
        fault = self._faults.acknowledgements(self.module)
        if fault.withheld:
            self._unconfirmed = True
        else:
            self._acknowledged.put(partial(self._forget, packet_id), fault.delay_s)

    def _forget(self, packet_id: int) -> None:
        delivered = self._under_way.pop(packet_id, None)
        if delivered is not None:
            self._queue.remove(delivered.row)
            self._pump()

    def subscribe(self, packet: Subscribe) -> None:
        """Grant QoS 1 at most, as IoT Hub does."""
        granted = tuple(min(qos, 1) for _, qos in packet.filters)
        for (topic_filter, _), qos in zip(packet.filters, granted, strict=True):
            self._filters[topic_filter] = qos
            if not self._clean:
                self._subscriptions.add(self._client_id, topic_filter, qos)
        self._answer(SubAck(packet.packet_id, granted))

    def unsubscribe(self, packet: Unsubscribe) -> None:
        """Stop sending what the filters stood for."""
        for topic_filter in packet.filters:
            self._filters.pop(topic_filter, None)
            self._subscriptions.remove(self._client_id, topic_filter)
        self._answer(UnsubAck(packet.packet_id))

    def _send_acknowledgements(self) -> None:
        acknowledgements, self._to_acknowledge = self._to_acknowledge, []
        if self._connection is None or not acknowledgements:
            return
        fault = self._faults.acknowledgements(self.module)
        if fault.withheld:
            self._unconfirmed = True
        else:
            self._acknowledging.put(partial(self._connection.send, *acknowledgements), fault.delay_s)

    def _answer(self, packet: SubAck | UnsubAck) -> None:
        self._features = _features(self._filters)
        self._tell_change()
        connection = self._connection
        if connection is not None:
            self._after_commit(lambda: connection.send(packet))
        self._after_commit(self._pump)

    # --- messages to the module ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Note that the queue holds something new."""
        self._more_queued = True
        self._pump()

    def tell(self, feature: Feature, topic: str, payload: bytes) -> None:
        """Send something that is worth nothing later, if the module has subscribed to it."""
        if feature is Feature.DESIRED and self._faults.twin_missed(self.module):
            return
        qos = self._features.get(feature)
        if self._connection is not None and qos is not None:
            self._connection.send(Publish(topic, payload, qos, self._next_packet_id() if qos else 0))

    def end_doubt(self) -> None:
        """Break a connection on which acknowledgements were withheld, as both ends send again on the next one."""
        if self._connection is not None and self._unconfirmed:
            self._connection.abort()
        self._unconfirmed = False

    def resend_overdue(self) -> None:
        """Send again what the module has not acknowledged in time; to be called every second or so."""
        self._resend(older_than_s=ACK_TIMEOUT_S)

    def _pump(self) -> None:
        """Fill the window, once half of it is free, so that one query serves many messages."""
        room = WINDOW - len(self._under_way)
        qos = self._features.get(Feature.INPUTS)
        if self._connection is None or qos is None or not self._more_queued or room < WINDOW // 2:
            return
        rows = [under_way.row for under_way in self._under_way.values()]
        waiting = self._queue.peek(self.module, room, without=rows)
        self._more_queued = len(waiting) == room
        packets = [self._under_way_from_now(queued, topic, qos) for queued, topic in self._addressed(waiting)]
        if packets:
            self._send(*packets)

    def _send(self, *packets: Publish) -> None:
        if self._connection is not None:
            send = partial(self._connection.send, *packets)
            self._to_module.put(send, self._faults.message_delay_s(self.module))

    def _addressed(self, waiting: Iterable[Queued]) -> Iterator[tuple[Queued, str]]:
        """Pair messages with their topics, and drop those whose properties do not fit in one."""
        for queued in waiting:
            bag = messages.bag(queued.properties, queued.system_properties)
            topic = topics.module_input(self._device_id, self.module, queued.input, bag)
            if len(topic) <= _LONGEST_TOPIC:
                yield queued, topic
            else:
                _log.error("dropped a message for %s: its properties take %d bytes", self, len(topic))
                self._queue.remove(queued.row)

    def _under_way_from_now(self, queued: Queued, topic: str, qos: int) -> Publish:
        """Return the packet that takes a message to the module."""
        packet = Publish(topic, queued.body, qos, self._next_packet_id() if qos else 0)
        if qos:
            self._under_way[packet.packet_id] = _UnderWay(queued.row, packet, self._monotonic())
        else:
            self._queue.remove(queued.row)
        return packet

    def _resend(self, *, older_than_s: float) -> None:
        if self._connection is None or Feature.INPUTS not in self._features:
            return
        now = self._monotonic()
        for packet_id, under_way in self._under_way.items():
            if now - under_way.sent_at >= older_than_s:
                again = replace(under_way.packet, dup=True)
                self._send(again)
                self._under_way[packet_id] = _UnderWay(under_way.row, again, now)

    def _next_packet_id(self) -> int:
        while True:
            self._last_packet_id = self._last_packet_id % _HIGHEST_PACKET_ID + 1
            if self._last_packet_id not in self._under_way:
                return self._last_packet_id


def _features(filters: dict[str, int]) -> dict[Feature, int]:
    """Return the features that filters turn on, each with its best QoS."""
    found: dict[Feature, int] = {}
    for topic_filter, qos in filters.items():
        if (feature := topics.feature(topic_filter)) is not None:
            found[feature] = max(qos, found.get(feature, 0))
    return found
