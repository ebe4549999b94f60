"""One client's connection: bytes in, packets to the broker; packets out."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final, Protocol, cast

from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.errors import MqttError, ProtocolViolationError, UnsupportedProtocolError
from edge_simulator.mqtt.link import Link, LinkState
from edge_simulator.mqtt.packets import (
    ConnAck,
    Connect,
    Disconnect,
    Packet,
    PingReq,
    PingResp,
    PubAck,
    Publish,
    ReturnCode,
    Subscribe,
    Unsubscribe,
)
from edge_simulator.mqtt.parser import Parser

CONNECT_TIMEOUT_S: Final = 30
# edgeHub's MaxInboundMessageSize and keep-alive cap (appsettings_hub.json).
MAX_PACKET_BYTES: Final = 262_144
MAX_KEEP_ALIVE_S: Final = 600

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A broker's no to a CONNECT."""

    def __init__(self, code: ReturnCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Session(Protocol):
    """What a broker keeps of a client, with or without a connection."""

    @property
    def present(self) -> bool:
        """Whether the client was known before."""

    def attach(self, connection: "Connection") -> None:
        """Take the connection over; CONNACK is on its way."""

    def detach(self, connection: "Connection") -> None:
        """Go on without the connection, which has gone."""

    def publish(self, packet: Publish) -> None:
        """Take a message, and acknowledge it once it is safe."""

    def acknowledge(self, packet_id: int) -> None:
        """Note that the client has a message."""

    def subscribe(self, packet: Subscribe) -> None:
        """Add subscriptions, and answer."""

    def unsubscribe(self, packet: Unsubscribe) -> None:
        """Remove subscriptions, and answer."""


class Broker(Protocol):
    """Who decides about clients."""

    def link(self, client_id: str) -> LinkState:
        """Return what the network does to a client's connections."""

    def open_session(self, packet: Connect) -> Session:
        """Return the client's session.

        Raises:
            RefusedError: the client may not connect.
        """


class Connection(asyncio.Protocol):
    """The server's end of one client's connection."""

    def __init__(self, broker: Broker, live: set["Connection"], monotonic: Callable[[], float]) -> None:
        self.gone = asyncio.Event()
        self._broker = broker
        self._live = live
        self._monotonic = monotonic
        self._parser = Parser(MAX_PACKET_BYTES)
        self._unheard: list[Packet] = []
        self._client_id: str | None = None
        self._session: Session | None = None
        self._closing = False
        self._patience_s: float = CONNECT_TIMEOUT_S
        self._last_heard = 0.0

    # --- asyncio ------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for CONNECT."""
        self._link = Link(cast("asyncio.Transport", transport))
        self._last_heard = self._monotonic()
        self._live.add(self)

    def data_received(self, data: bytes) -> None:
        """Handle the packets that `data` completes; a client that breaks the protocol is let go."""
        self._last_heard = self._monotonic()
        self._take(self._parser.feed(data))

    def _take(self, packets: Iterable[Packet]) -> None:
        try:
            for packet in packets:
                if self._closing:
                    return
                self._handle(packet)
        except UnsupportedProtocolError as error:
            self._refuse(RefusedError(ReturnCode.UNACCEPTABLE_PROTOCOL, str(error)))
        except MqttError as error:
            _log.warning("closing the connection of %s: %s", self._peer, error)
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the session to itself."""
        _log.debug("connection of %s lost: %s", self._peer, exc or "closed")
        self._closing = True
        self._live.discard(self)
        self.gone.set()
        if self._session is not None:
            self._session.detach(self)

    # --- for sessions and the server ----------------------------------------------------------------------------------

    def send(self, *packets: Packet) -> None:
        """Write packets; those given together leave together, which is much cheaper than one by one."""
        if not self._closing:
            self._link.write(b"".join(map(encode, packets)))

    def close(self) -> None:
        """Close once everything is written."""
        if not self._closing:
            self._closing = True
            self._link.close()

    def close_if_silent(self, now: float) -> None:
        """Cut off a client that has been silent for longer than it promised (section 3.1.2.10)."""
        if not self._link.is_cut and now - self._last_heard > self._patience_s:
            _log.warning("closing the connection of %s: nothing heard for %.0f s", self._peer, now - self._last_heard)
            self.abort()

    def follow_link(self) -> None:
        """Fall silent with the link to the client, and go on with it."""
        if self._client_id is None:
            return
        if self._broker.link(self._client_id) is not LinkState.OPEN:
            self._link.cut()
        elif self._link.is_cut:
            unheard, self._unheard = self._unheard, []
            self._link.mend()
            self._take(unheard)

    def abort(self) -> None:
        """Close at once."""
        self._closing = True
        self._link.abort()

    # --- packets ------------------------------------------------------------------------------------------------------

    def _handle(self, packet: Packet) -> None:
        if self._link.is_cut:
            self._unheard.append(packet)
        elif self._session is None:
            self._begin(packet)
        else:
            self._serve(self._session, packet)

    def _begin(self, packet: Packet) -> None:
        if not isinstance(packet, Connect):
            raise ProtocolViolationError(f"{type(packet).__name__} before CONNECT")
        self._client_id = packet.client_id
        match self._broker.link(packet.client_id):
            case LinkState.OPEN:
                self._connect(packet)
            case LinkState.SILENT:
                self._link.cut()
                self._unheard.append(packet)
            case LinkState.REJECTING:
                self.abort()

    def _connect(self, packet: Connect) -> None:
        try:
            session = self._broker.open_session(packet)
        except RefusedError as refusal:
            self._refuse(refusal)
            return
        self._patience_s = 1.5 * min(packet.keep_alive or MAX_KEEP_ALIVE_S, MAX_KEEP_ALIVE_S)
        self.send(ConnAck(session.present, ReturnCode.ACCEPTED))
        self._session = session
        session.attach(self)

    def _serve(self, session: Session, packet: Packet) -> None:
        match packet:
            case Publish():
                session.publish(packet)
            case PubAck():
                session.acknowledge(packet.packet_id)
            case PingReq():
                self.send(PingResp())
            case Subscribe():
                session.subscribe(packet)
            case Unsubscribe():
                session.unsubscribe(packet)
            case Disconnect():
                self.close()
            case _:
                raise ProtocolViolationError(f"{type(packet).__name__} from a connected client")

    def _refuse(self, refusal: RefusedError) -> None:
        _log.warning("refusing %s: %s (%s)", self._peer, refusal, refusal.code.name)
        self.send(ConnAck(session_present=False, code=refusal.code))
        self.close()

    @property
    def _peer(self) -> object:
        return self._session or self._link.peer
