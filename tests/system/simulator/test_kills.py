"""The simulator killed a dozen times while modules send and receive.

The modules are bare MQTT clients: the SDK acknowledges a message before anybody has seen it, and its network thread can
die of a connection that ends while it writes.
"""

import asyncio
import contextlib
import itertools
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

from edge_simulator.identity import Device
from edge_simulator.mqtt.encoding import encode
from edge_simulator.mqtt.packets import Connect, Packet, PubAck, Publish, Subscribe
from edge_simulator.mqtt.parser import Parser
from support.mqtt import sent_by, token
from support.simulator import SimulatorProcess, deployment, simulator

ROUTES = {"in": 'FROM /messages/modules/src/outputs/o INTO BrokeredEndpoint("/modules/dst/inputs/i")'}
KILLS = 12
WINDOW = 32
MESSAGES_BETWEEN = 100
PAUSE_S = 0.05


class Peer:
    """A module that connects again whenever its connection ends."""

    def __init__(self, simulator: SimulatorProcess, name: str) -> None:
        state = simulator.state
        device = Device((state / "address").read_text(), (state / "device.key").read_bytes())
        self._host = device.gateway_host
        self._tls = ssl.create_default_context(cafile=str(state / "authority" / "ca.pem"))
        self._connect = Connect(
            device.client_id(name),
            username=f"{device.hub_host}/{device.device_id}/{name}/?api-version=2019-10-01",
            password=token(device, name, time.time() + 3600).encode(),
            clean_session=False,
        )

    async def run(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, self._writer = await asyncio.open_connection(self._host, 8883, ssl=self._tls)
                with contextlib.closing(self._writer):
                    self.write(self._connect)
                    self.begin()
                    async for packet in _packets(reader):
                        self.take(packet)
            await asyncio.sleep(PAUSE_S)

    def write(self, packet: Packet) -> None:
        self._writer.write(encode(packet))

    def begin(self) -> None:
        """Do what comes first on a new connection."""

    def take(self, packet: Packet) -> None:
        """Handle a packet."""


class Sender(Peer):
    """Keeps a window full, and notes what is acknowledged; what is not, when the connection ends, is given up."""

    def __init__(self, simulator: SimulatorProcess, name: str) -> None:
        super().__init__(simulator, name)
        self.acknowledged: set[bytes] = set()
        self._under_way: dict[int, bytes] = {}
        self._numbers = itertools.count(1)

    def begin(self) -> None:
        self._under_way.clear()
        for packet_id in range(1, WINDOW + 1):
            self._send(packet_id)

    def take(self, packet: Packet) -> None:
        if isinstance(packet, PubAck):
            self.acknowledged.add(self._under_way.pop(packet.packet_id))
            self._send(packet.packet_id)

    def _send(self, packet_id: int) -> None:
        self._under_way[packet_id] = b"%d" % next(self._numbers)
        self.write(sent_by("src", self._under_way[packet_id], packet_id=packet_id))


class Receiver(Peer):
    """Notes every message, and then acknowledges it."""

    def __init__(self, simulator: SimulatorProcess, name: str) -> None:
        super().__init__(simulator, name)
        self.bodies: set[bytes] = set()

    def begin(self) -> None:
        self.write(Subscribe(1, (("devices/edge/modules/dst/inputs/#", 1),)))

    def take(self, packet: Packet) -> None:
        if isinstance(packet, Publish):
            self.bodies.add(packet.payload)
            self.write(PubAck(packet.packet_id))


async def _packets(reader: asyncio.StreamReader) -> AsyncIterator[Packet]:
    parser = Parser(1 << 20)
    while data := await reader.read(1 << 16):
        for packet in parser.feed(data):
            yield packet


async def test_every_acknowledged_message_survives_a_dozen_kills(tmp_path: Path) -> None:
    with simulator(tmp_path, deployment(routes=ROUTES, ttl_s=-1), "--module", "src", "--module", "dst") as running:
        src, dst = Sender(running, "src"), Receiver(running, "dst")
        receiving, sending = asyncio.create_task(dst.run()), asyncio.create_task(src.run())
        for _ in range(KILLS):
            enough = len(src.acknowledged) + MESSAGES_BETWEEN
            while len(src.acknowledged) < enough:
                await asyncio.sleep(0.001)
            await asyncio.to_thread(running.kill)
            await asyncio.to_thread(running.start)
        sending.cancel()
        while not src.acknowledged <= dst.bodies:
            await asyncio.sleep(PAUSE_S)
        receiving.cancel()
        ended = await asyncio.gather(receiving, sending, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ended)
