"""How much the simulator carries from one SDK client to another, beside what the same clients carry over mosquitto.

The messages are of 1 KB, at QoS 1, over TLS; the clients are azure-iot-device, each a process of its own. Over
mosquitto, which routes nothing, the sender publishes to the receiver's topic. The last line is one JSON object:

ratio             simulator's messages per second / mosquitto's, the median over rounds; null where it is not installed
messages_per_s    the simulator's, from the first send to the last arrival, the median over rounds
memory_mb_100k    the most memory that the simulator had resident, in MB (10^6 bytes), with 100,000 messages stored
start_s           from the start of `edge-simulator run` until modules can connect, the median over rounds
"""

import argparse
import json
import operator
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

from edge_simulator import address
from edge_simulator.agent.environment import connection_string
from edge_simulator.identity import Device
from edge_simulator.workload.authority import Authority

Environment = Mapping[str, str]

CLIENT: Final = Path(__file__).with_name("hub_client.py")
SIMULATOR: Final = Path(sys.executable).with_name("edge-simulator")
MODULES: Final = ("sender", "receiver", "filler", "absent")
RECEIVER_TOPIC: Final = "devices/edge/modules/receiver/inputs/in/"
STORED: Final = 100_000
ROUTES: Final = {
    "pass": 'FROM /messages/modules/sender/* INTO BrokeredEndpoint("/modules/receiver/inputs/in")',
    "store": 'FROM /messages/modules/filler/* INTO BrokeredEndpoint("/modules/absent/inputs/in")',
}
AGENT: Final = {
    "schemaVersion": "1.1",
    "runtime": {"type": "docker", "settings": {"minDockerVersion": "v1.25"}},
    "systemModules": {},
    "modules": {},
}
HUB: Final = {"schemaVersion": "1.1", "routes": ROUTES, "storeAndForwardConfiguration": {"timeToLiveSecs": 7200}}
DEPLOYMENT: Final = {
    "modulesContent": {"$edgeAgent": {"properties.desired": AGENT}, "$edgeHub": {"properties.desired": HUB}}
}
MOSQUITTO: Final = """
listener {port} {host}
allow_anonymous true
set_tcp_nodelay true
certfile {folder}/server.pem
keyfile {folder}/server.key
max_queued_messages 0
max_inflight_messages 0
user root
"""


class Program:
    """A program of a measurement, which ends with the block."""

    def __init__(self, *command: str | Path, environment: Environment | None = None) -> None:
        pipe, variables = subprocess.PIPE, {**os.environ, **(environment or {})}
        self.process = subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:
            self.process.terminate()

    def line(self) -> list[str]:
        """Return the words of the next line that it prints."""
        assert self.process.stdout is not None
        words = self.process.stdout.readline().decode().split()
        if not words:
            raise SystemExit(f"{self.process.args!r} ended before its time")
        return words

    def begin(self) -> None:
        """Let a client begin its work."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def peak_mb(self) -> float:
        """Return the most memory that it has had resident."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [peak_kb] = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(peak_kb) * 1024 / 1e6


class Simulator(Program):
    """A simulator on a new state folder."""

    def __init__(self, folder: Path) -> None:
        manifest, self._state = folder / "deployment.json", folder / "state"
        manifest.write_text(json.dumps(DEPLOYMENT))
        guests = [word for name in MODULES for word in ("--module", name)]
        began = time.monotonic()
        super().__init__(SIMULATOR, "run", manifest, "--state", self._state, *guests)
        self.line()
        self.start_s = time.monotonic() - began

    def credentials(self) -> dict[str, Environment]:
        """Return what connects a process as each module."""
        device = Device((self._state / "address").read_text(), (self._state / "device.key").read_bytes())
        return {module: connection_string(device, module, self._state / "authority/ca.pem") for module in MODULES}


@contextmanager
def simulator() -> Iterator[Simulator]:
    """Run a simulator."""
    with tempfile.TemporaryDirectory() as folder, Simulator(Path(folder)) as running:
        yield running


@contextmanager
def mosquitto(program: str) -> Iterator[dict[str, Environment]]:
    """Run mosquitto with room for everything, and give the credentials of its clients."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with address.listen(None) as probe:
            host = probe.getsockname()[0]
        authority = Authority.open(folder)
        authority.server_context(host)
        configuration = folder / "mosquitto.conf"
        configuration.write_text(MOSQUITTO.format(port=address.MQTT_TLS_PORT, host=host, folder=folder))
        with Program(program, "-c", configuration):
            yield {module: connection_string(Device(host, b""), module, folder / "ca.pem") for module in MODULES}


def rate(credentials: Mapping[str, Environment], count: int, *arguments: str) -> float:
    """Return the messages per second from the first send to the last arrival."""
    with ExitStack() as stack:
        receiver = stack.enter_context(_client(credentials["receiver"], "receive", str(count)))
        sender = stack.enter_context(_client(credentials["sender"], "send", str(count), *arguments))
        for client in (receiver, sender):
            client.line()
            client.begin()
        (began, _), (_, ended) = sender.line(), receiver.line()
        return count / (float(ended) - float(began))


def fill(environment: Environment, count: int) -> None:
    """Have messages stored for a module that is away."""
    with _client(environment, "fill", str(count)) as client:
        client.line()
        client.begin()
        client.line()


def _client(environment: Environment, *arguments: str) -> Program:
    return Program(sys.executable, CLIENT, *arguments, environment=environment)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5_000, help="how many in a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how many rounds (default: %(default)s)")
    options = parser.parse_args()
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        print("mosquitto is not installed, so there is no ratio (on Debian: apt-get install mosquitto)")
    carried, ceilings, starts = [], [], []
    for number in range(options.rounds):
        with simulator() as running:
            starts.append(running.start_s)
            carried.append(rate(running.credentials(), options.messages))
        if program is not None:
            with mosquitto(program) as credentials:
                ceilings.append(rate(credentials, options.messages, RECEIVER_TOPIC))
        ceiling = f", mosquitto {ceilings[-1]:.0f}" if ceilings else ""
        print(f"round {number + 1}: messages per second: simulator {carried[-1]:.0f}{ceiling}", flush=True)
    with simulator() as running:
        fill(running.credentials()["filler"], STORED)
        memory_mb = running.peak_mb()
    report = {
        "ratio": round(statistics.median(map(operator.truediv, carried, ceilings)), 3) if ceilings else None,
        "messages_per_s": round(statistics.median(carried)),
        "memory_mb_100k": round(memory_mb, 1),
        "start_s": round(statistics.median(starts), 3),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
