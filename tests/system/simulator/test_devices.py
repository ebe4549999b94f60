"""Several devices from one process."""

import json
import subprocess
from pathlib import Path

import pytest

from support.simulator import SimulatorProcess, deployment, simulator
from support.simulator import module as entry
from system.simulator.conftest import Make

ROUTES = {"in": 'FROM /messages/modules/src/* INTO BrokeredEndpoint("/modules/dst/inputs/i")'}
DEVICES = ("edge-1", "edge-2", "edge-3")


def _device(fleet: SimulatorProcess, name: str) -> SimulatorProcess:
    """One device of the fleet, as the commands see it."""
    return SimulatorProcess(fleet.manifest, fleet.state / name)


async def test_each_device_has_its_own_modules_twins_and_messages(tmp_path: Path, module: Make) -> None:
    manifest = deployment(
        routes=ROUTES, modules={"worker": entry("sh", "-c", "echo $IOTEDGE_DEVICEID; exec sleep 1000")}
    )
    arguments = ("--devices", str(len(DEVICES)), "--module", "src", "--module", "dst")
    with simulator(tmp_path, manifest, *arguments) as fleet:
        for name in DEVICES:
            device = _device(fleet, name)
            device.run("twin", "set", "dst", f"name={name}")
            src, dst = await module(device, "src").connect(), await module(device, "dst").listen()
            assert (await dst.client.get_twin())["desired"]["name"] == name
            await src.send(name.encode())
            assert await dst.bodies(1) == [name.encode()]
            assert dst.messages.empty()
            assert json.loads(device.run("status", "--json"))["device"] == name
            while device.run("logs", "worker") != f"{name}\n":
                pass
        for command in (["status"], ["logs", "worker"]):
            with pytest.raises(subprocess.CalledProcessError) as refused:
                fleet.run(*command)
            assert ", ".join(str(fleet.state / name) for name in DEVICES) in refused.value.stderr
        connection_strings = {_device(fleet, name).run("connection-string") for name in DEVICES}
        assert len(connection_strings) == 1
