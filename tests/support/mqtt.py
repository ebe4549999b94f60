"""MQTT clients without sockets: packets in, packets out, and time as the test has it."""

import asyncio
import base64
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from edge_simulator.faults import Faults
from edge_simulator.hub.hub import Hub
from edge_simulator.identity import Device
from edge_simulator.mqtt.connection import Broker, Connection
from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.packets import Connect, Packet, Publish, Subscribe
from edge_simulator.mqtt.parser import Parser
from edge_simulator.store.database import Database

TOKEN_LIFE_S = 3600


@dataclass
class Clock:
    """A clock that stands still until it is moved; it serves as wall clock and as monotonic clock."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Wire(asyncio.Transport):
    """The transport of a connection, which keeps the packets that the server writes."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[Packet] = []
        self.closed = False
        self.paused = False
        self._parser = Parser(1 << 20)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.packets += self._parser.feed(bytes(data))

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return "the test" if name == "peername" else default


@dataclass
class Client:
    """A client of a broker."""

    broker: Broker
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.live: set[Connection] = set()
        self.wire = Wire()
        self.connection = Connection(self.broker, self.live, self.clock)
        self.connection.connection_made(self.wire)

    def send(self, *packets: Packet) -> None:
        self.send_bytes(b"".join(map(encode, packets)))

    def send_bytes(self, data: bytes) -> None:
        self.connection.data_received(data)

    def take(self) -> list[Packet]:
        """Return what has come since the last look."""
        packets, self.wire.packets = self.wire.packets, []
        return packets

    def lose(self) -> None:
        """Lose the connection without a word."""
        self.wire.closed = True
        self.connection.connection_lost(None)


@dataclass
class HubBench:
    """A hub on a real store, with clients that can prove who they are."""

    path: Path
    routes: dict[str, Any]
    modules: tuple[str, ...] = ("src", "dst")
    ttl_s: int = 7200

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.device = Device("127.0.0.2", b"a secret")
        self.start()

    def start(self) -> None:
        """Start the hub, or start it again on the same store."""
        self.database = Database(self.path)
        self.faults = Faults(self.clock)
        self.hub = Hub(self.device, self.database, self.faults, now=self.clock, monotonic=self.clock)
        store = {"timeToLiveSecs": self.ttl_s}
        self.hub.deploy({"schemaVersion": "1.1", "routes": self.routes, "storeAndForwardConfiguration": store})
        for module in self.modules:
            self.hub.add_module(module, {})

    def connect(self, module: str, *, clean_session: bool = False) -> Client:
        """Return a connected client, its CONNACK still to be taken."""
        client = Client(self.hub, self.clock)
        client.send(self.connect_packet(module, clean_session=clean_session))
        return client

    def listening(self, module: str) -> Client:
        """Return a client that is connected and subscribed to its inputs."""
        client = self.connect(module)
        client.send(Subscribe(1, ((f"devices/edge/modules/{module}/inputs/#", 1),)))
        self.database.commit()
        client.take()
        return client

    async def settle(self) -> None:
        """Commit, and let the hub wake whom it has to."""
        self.database.commit()
        await asyncio.sleep(0)

    def connect_packet(self, module: str, *, clean_session: bool = False) -> Connect:
        return Connect(
            f"edge/{module}",
            username=f"{self.device.hub_host}/edge/{module}/?api-version=2019-10-01&DeviceClientType=test",
            password=token(self.device, module, self.clock.now + TOKEN_LIFE_S).encode(),
            clean_session=clean_session,
            keep_alive=60,
        )


def token(device: Device, module: str, expiry: float) -> str:
    """Return a shared access signature such as the SDK makes."""
    audience = quote(device.audience(module), safe="")
    signature = base64.b64encode(device.sign(module, f"{audience}\n{int(expiry)}".encode())).decode()
    return f"SharedAccessSignature sr={audience}&sig={quote(signature, safe='')}&se={int(expiry)}"


def sent_by(module: str, body: bytes, *, packet_id: int = 1, bag: str = "%24.on=o", dup: bool = False) -> Publish:
    """Return a message as a module sends it to its output `o`."""
    return Publish(f"devices/edge/modules/{module}/messages/events/{bag}", body, 1, packet_id, dup)
